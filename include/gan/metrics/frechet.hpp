// Frechet distance: how far apart two sets of features are, taken for Gaussians.
#pragma once

#include <Eigen/Eigenvalues>
#include <cmath>
#include <concepts>
#include <span>

#include "gan/metrics/features.hpp"

namespace gan {

/// Mean [d] and covariance [d, d] of features.
struct Gaussian {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};

/// Mean and unbiased covariance of the rows of x [n, d]. Throws for fewer than 2 rows and rows that are not finite.
template <class T>
Gaussian fit_gaussian(const Tensor<T>& x);

/// |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)): the squared 2-Wasserstein distance of two Gaussians, at least 0. On
/// the features of an Inception network it is the "FID" of papers (Heusel et al., 2017); on others it compares only
/// with itself. Its bias falls with the number of samples: compare at equal numbers. Takes O(d^3). Throws when the
/// dimensions differ, and when a number is not finite or too large for the distance to be one.
template <std::same_as<Gaussian> G>  // a template, so that programs that do not call it do not compile it
double frechet_distance(const G& a, const G& b);

/// The same of the Gaussians fitted to x [n, d] and y [m, d].
template <class T>
double frechet_distance(const Tensor<T>& x, const Tensor<T>& y) {
  return frechet_distance(fit_gaussian(x), fit_gaussian(y));
}

template <class T>
Gaussian fit_gaussian(const Tensor<T>& x) {
  detail::Features values = detail::features("fit_gaussian", "x", x, 2);
  const Eigen::RowVectorXd mean = values.colwise().mean();
  values.rowwise() -= mean;
  return {mean.transpose(), values.transpose() * values / static_cast<double>(values.rows() - 1)};
}

namespace detail {

template <class Dense>
bool finite(const Dense& x) {
  return all_finite(std::span<const double>(x.data(), static_cast<std::size_t>(x.size())));
}

}  // namespace detail

template <std::same_as<Gaussian> G>
double frechet_distance(const G& a, const G& b) {
  for (const auto* g : {&a, &b}) {
    check(g->mean.size() >= 1 && g->covariance.rows() == g->mean.size() && g->covariance.cols() == g->mean.size(),
          "frechet_distance: mean [", g->mean.size(), "], covariance [", g->covariance.rows(), ", ",
          g->covariance.cols(), "], expected [d], [d, d] with d >= 1");
    check(detail::finite(g->mean) && detail::finite(g->covariance), "frechet_distance: a Gaussian of ", g->mean.size(),
          " dimensions is not finite");
  }
  check(a.mean.size() == b.mean.size(), "frechet_distance: Gaussians of ", a.mean.size(), " and ", b.mean.size(),
        " dimensions, expected equal ones");
  const char* const too_large = "frechet_distance: numbers too large for the distance to be computed";
  // C1 C2 has the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2); negative ones are rounding.
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> first(a.covariance);
  const Eigen::MatrixXd root = first.eigenvectors() * first.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal() *
                               first.eigenvectors().transpose();
  const Eigen::MatrixXd product = root * b.covariance * root;
  check(first.info() == Eigen::Success && detail::finite(product), too_large);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> second(product, Eigen::EigenvaluesOnly);
  const double cross = second.eigenvalues().cwiseMax(0.0).cwiseSqrt().sum();
  const double distance = (a.mean - b.mean).squaredNorm() + a.covariance.trace() + b.covariance.trace() - 2 * cross;
  check(second.info() == Eigen::Success && is_finite(distance), too_large);
  return std::max(0.0, distance);
}

}  // namespace gan
