// How sure a classifier is of samples, and of how many classes.
#pragma once

#include <cmath>
#include <vector>

#include "gan/metrics/features.hpp"

namespace gan {

/// exp of the mean over samples of KL(p(class | sample) || p(class)), from a classifier's probabilities [n, k], whose
/// mean over the samples is p(class): in [1, k], high when each sample is surely of one class and all classes occur.
/// With an Inception network it is the "Inception score" of papers (Salimans et al., 2016). It does not see a lack of
/// variety within a class. Throws unless each row is not negative and adds up to 1 within 1e-3.
template <class T>
double classifier_score(const Tensor<T>& probabilities) {
  const auto p = detail::features("classifier_score", "probabilities", probabilities, 1);
  for (Index i = 0; i < p.rows(); ++i)
    check(p.row(i).minCoeff() >= 0 && std::abs(p.row(i).sum() - 1) <= 1e-3, "classifier_score: probabilities ",
          probabilities.shape(), ": row ", i, " adds up to ", p.row(i).sum(), ", expected 0 or more each, 1 together");
  const Eigen::RowVectorXd all = p.colwise().mean();
  double sum = 0;
  for (Index i = 0; i < p.rows(); ++i)
    for (Index j = 0; j < p.cols(); ++j)
      if (p(i, j) > 0) sum += p(i, j) * std::log(p(i, j) / all(j));
  return std::exp(sum / static_cast<double>(p.rows()));
}

/// KL(shares || expected) = sum_i s_i log(s_i / e_i), in nats, of counts or shares [k] against those expected [k], each
/// made to add up to 1; infinity for something that was not expected at all. Throws for other sizes, negative or
/// non-finite values, and sums of 0.
inline double class_divergence(const std::vector<double>& found, const std::vector<double>& expected) {
  check(!found.empty() && found.size() == expected.size(), "class_divergence: ", found.size(), " shares, ",
        expected.size(), " expected ones, expected equal numbers, 1 or more");
  double found_sum = 0, expected_sum = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    check(is_finite(found[i]) && found[i] >= 0 && is_finite(expected[i]) && expected[i] >= 0,
          "class_divergence: share ", found[i], " of class ", i, " where ", expected[i],
          " is expected, both must be 0 or more");
    found_sum += found[i];
    expected_sum += expected[i];
  }
  check(found_sum > 0 && expected_sum > 0, "class_divergence: shares that add up to ", found_sum, " and ", expected_sum,
        ", expected more than 0");
  double sum = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double share = found[i] / found_sum;
    if (share > 0) sum += share * std::log(share / (expected[i] / expected_sum));
  }
  return std::max(0.0, sum);
}

}  // namespace gan
