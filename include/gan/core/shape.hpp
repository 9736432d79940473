// Shape: the lengths of a tensor's axes, and the broadcasting rule.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <ostream>
#include <span>

#include "gan/core/error.hpp"

namespace gan {

using Index = std::ptrdiff_t;

/// The lengths of up to 8 axes, row-major: the last axis is contiguous. Rank 0 is a scalar with one element.
class Shape {
 public:
  static constexpr Index max_rank = 8;

  Shape() = default;
  Shape(std::initializer_list<Index> lengths) : Shape(std::span<const Index>(lengths.begin(), lengths.size())) {}
  /// Throws for a negative length, more than `max_rank` axes, or more elements than memory can address.
  explicit Shape(std::span<const Index> lengths);

  Index rank() const { return rank_; }
  /// Product of all lengths; 1 for a scalar.
  Index size() const { return size_; }
  /// Length of one axis; negative axes count from the end. Throws when there is no such axis.
  Index operator[](Index axis) const { return lengths_[static_cast<std::size_t>(normalize(axis))]; }
  /// Axis in [0, rank) for an axis in [-rank, rank). Throws otherwise.
  Index normalize(Index axis) const;
  /// Length of the last axis (1 for a scalar), and the number of such rows.
  Index last() const { return rank_ == 0 ? 1 : lengths_[static_cast<std::size_t>(rank_ - 1)]; }
  Index rows() const;

  const Index* begin() const { return lengths_.data(); }
  const Index* end() const { return lengths_.data() + rank_; }

  /// The same shape with one axis changed, removed, or added before `axis`.
  Shape with(Index axis, Index length) const;
  Shape without(Index axis) const;
  Shape inserted(Index axis, Index length) const;

  friend bool operator==(const Shape& a, const Shape& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

 private:
  std::array<Index, max_rank> lengths_{};
  Index rank_ = 0;
  Index size_ = 1;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// NumPy's rule: align at the last axis; lengths must be equal or one of them 1. Throws, naming `op` and both shapes.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

inline Shape::Shape(std::span<const Index> lengths) {
  check(lengths.size() <= static_cast<std::size_t>(max_rank), "shape: ", lengths.size(), " axes, at most ", max_rank,
        " are supported");
  constexpr Index limit = std::numeric_limits<Index>::max() / 16;
  Index product = 1;  // of the lengths other than 0, so that no zero hides an overflow
  for (const Index length : lengths) {
    check(length >= 0, "shape: negative length ", length, " of axis ", rank_);
    check(length == 0 || product <= limit / length, "shape: too many elements");
    lengths_[static_cast<std::size_t>(rank_++)] = length;
    if (length > 0) product *= length;
    size_ *= length;
  }
}

inline Index Shape::rows() const {
  if (last() > 0) return size_ / last();
  Index product = 1;  // dividing by a last axis of length 0 would not tell
  for (Index axis = 0; axis + 1 < rank_; ++axis) product *= lengths_[static_cast<std::size_t>(axis)];
  return product;
}

inline Index Shape::normalize(Index axis) const {
  check(axis >= -rank_ && axis < rank_, "axis ", axis, " of shape ", *this, ": expected an axis in [", -rank_, ", ",
        rank_, ")");
  return axis < 0 ? axis + rank_ : axis;
}

inline Shape Shape::with(Index axis, Index length) const {
  auto lengths = lengths_;
  lengths[static_cast<std::size_t>(normalize(axis))] = length;
  return Shape(std::span<const Index>(lengths.data(), static_cast<std::size_t>(rank_)));
}

inline Shape Shape::without(Index axis) const {
  auto lengths = lengths_;
  const auto at = lengths.begin() + normalize(axis);
  std::copy(at + 1, lengths.end(), at);
  return Shape(std::span<const Index>(lengths.data(), static_cast<std::size_t>(rank_ - 1)));
}

inline Shape Shape::inserted(Index axis, Index length) const {
  check(axis >= 0 && axis <= rank_ && rank_ < max_rank, "cannot insert axis ", axis, " into shape ", *this);
  auto lengths = lengths_;
  const auto at = lengths.begin() + axis;
  std::copy_backward(at, lengths.end() - 1, lengths.end());
  *at = length;
  return Shape(std::span<const Index>(lengths.data(), static_cast<std::size_t>(rank_ + 1)));
}

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (const Index* length = shape.begin(); length != shape.end(); ++length)
    out << (length == shape.begin() ? "" : ", ") << *length;
  return out << ']';
}

inline Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  const Index rank = std::max(a.rank(), b.rank());
  std::array<Index, Shape::max_rank> lengths{};
  for (Index i = 1; i <= rank; ++i) {
    const Index p = i <= a.rank() ? a[-i] : 1, q = i <= b.rank() ? b[-i] : 1;
    check(p == q || p == 1 || q == 1, op, ": shapes ", a, " and ", b, " do not broadcast: axis ", -i, " is ", p,
          " and ", q, ", expected equal lengths or 1");
    lengths[static_cast<std::size_t>(rank - i)] = p == 1 ? q : p;
  }
  return Shape(std::span<const Index>(lengths.data(), static_cast<std::size_t>(rank)));
}

}  // namespace gan
