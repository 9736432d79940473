// What the metrics share: checked samples in double, and squared distances between them, tile by tile.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>

#include "gan/core/finite.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan::detail {

using Features = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Throws unless x is [n, d] with n >= `least` and d >= 1.
template <class T>
void check_feature_shape(const char* metric, const char* what, const Tensor<T>& x, Index least) {
  check(x.rank() == 2 && x.shape()[0] >= least && x.shape()[1] >= 1, metric, ": ", what, " ", x.shape(),
        ", expected [n, d] with n >= ", least, " and d >= 1");
}

template <class T>
void check_same_width(const char* metric, const char* a_name, const Tensor<T>& a, const char* b_name,
                      const Tensor<T>& b) {
  check(a.shape()[1] == b.shape()[1], metric, ": ", a_name, " ", a.shape(), " and ", b_name, " ", b.shape(),
        ", expected equal widths");
}

inline constexpr double largest_feature = 1e150;  // squares of larger ones overflow

/// x [n, d] in double. Throws for another shape, and for a row that is not finite or beyond 1e150, by its number.
template <class T>
Features features(const char* metric, const char* what, const Tensor<T>& x, Index least) {
  check_feature_shape(metric, what, x, least);
  Features out = x.matrix().template cast<double>();
  for (Index i = 0; i < out.rows(); ++i) {
    const std::span<const double> row(out.data() + i * out.cols(), static_cast<std::size_t>(out.cols()));
    check(all_finite(row), metric, ": ", what, " ", x.shape(), ": row ", i, " is not finite");
    check(out.row(i).cwiseAbs().maxCoeff() <= largest_feature, metric, ": ", what, " ", x.shape(), ": row ", i,
          " has values beyond ", largest_feature);
  }
  return out;
}

/// Two sets of features and their squared distances |a|^2 + |b|^2 - 2 a.b, by matrix products. Both are moved so that
/// the mean of `b` is 0, because the formula loses what distances are smaller than lengths. These are templates so that
/// programs that do not measure do not compile them.
template <std::same_as<Features> F>
class Distances {
 public:
  static constexpr Index rows = 128, columns = 1024;

  Distances(const F& a, const F& b) {
    const Eigen::RowVectorXd middle = b.colwise().mean();
    a_ = a.rowwise() - middle;
    b_ = b.rowwise() - middle;
    a_square_ = a_.rowwise().squaredNorm();
    b_square_ = b_.rowwise().squaredNorm();
  }

  /// Calls visit(block, first row, first column, tile) for tiles of at most `rows` x `columns`; those of one block of
  /// rows one after the other from the left, blocks in parallel. Tiles are cut by the shapes alone.
  template <class Visit>
  void for_each_tile(const Visit& visit) const {
    parallel_for(blocks(), 1, [&](Index begin, Index end) {
      Features tile;
      for (Index block = begin; block < end; ++block) {
        const Index row = block * rows, height = std::min(rows, a_.rows() - row);
        for (Index column = 0; column < b_.rows(); column += columns) {
          const Index width = std::min(columns, b_.rows() - column);
          tile.noalias() = -2 * a_.middleRows(row, height) * b_.middleRows(column, width).transpose();
          for (Index i = 0; i < height; ++i)
            for (Index j = 0; j < width; ++j) {
              const double squares = a_square_[row + i] + b_square_[column + j], square = squares + tile(i, j);
              tile(i, j) = square > 1e-14 * squares ? square : 0;  // less is rounding
            }
          visit(block, row, column, static_cast<const Features&>(tile));
        }
      }
    });
  }

  Index blocks() const { return (a_.rows() + rows - 1) / rows; }

 private:
  Features a_, b_;
  Eigen::VectorXd a_square_, b_square_;
};

}  // namespace gan::detail
