// Dataset<T>: items of one shape, with or without labels, gathered into batches.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/core/parallel.hpp"
#include "gan/core/shape.hpp"
#include "gan/tensor/tensor.hpp"

namespace gan {

/// What bytes 0 ... 255 become: what a tanh or what a sigmoid puts out.
enum class PixelRange { minus_one_to_one, zero_to_one };

/// The classes that labels are numbers of: how many there are, and what they are called. All of it may be left out.
struct Classes {
  Index count = 0;                   ///< 0: as many as there are names, or else the largest label and one
  std::vector<std::string> names{};  ///< [count] or none
};

/// Items of one shape held in memory, as bytes that are scaled when they are gathered (MNIST then takes 47 MB) or as
/// numbers. The items never change, so copies share them and are cheap.
template <class T>
class Dataset {
 public:
  /// Items from bytes, row-major one after the other. `labels` is empty or has one number for each item. Throws when
  /// the bytes are none or not a whole number of items, when the numbers of items and labels differ, for a label that
  /// is negative or no number of a class, for classes without labels, and for a number of names other than that of
  /// classes.
  static Dataset from_bytes(const Shape& item_shape, std::vector<std::uint8_t> bytes, std::vector<Index> labels = {},
                            PixelRange range = PixelRange::minus_one_to_one, Classes classes = {});
  /// Items from numbers, used as they are; throws also when one of them is not finite.
  static Dataset from(const Shape& item_shape, std::vector<T> values, std::vector<Index> labels = {},
                      Classes classes = {});

  /// Number of items, at least 1.
  Index size() const { return content_->size; }
  const Shape& item_shape() const { return content_->item_shape; }

  bool has_labels() const { return !content_->labels.empty(); }
  /// All labels; empty without.
  std::span<const Index> labels() const { return content_->labels; }
  /// Label of one item. Throws without labels and outside [0, size()).
  Index label(Index i) const;
  /// Number of classes: every label is in [0, classes()), and not every class need occur. 0 without labels.
  Index classes() const { return content_->classes.count; }
  /// Names of the classes, [classes()]; empty when nobody named them.
  const std::vector<std::string>& class_names() const { return content_->classes.names; }

  /// A hash of shape, number and values of the items, of the labels and of the number of classes, to tell data sets
  /// apart: of all up to 1 MiB, of 256 parts spread over more, so that it takes a millisecond whatever the size.
  std::uint64_t fingerprint() const;

  /// Items `indices` as a batch [k, ...item_shape]. Throws outside [0, size()).
  Tensor<T> gather(std::span<const Index> indices) const;

  /// A dataset of copies of the items `indices`, with their labels and all classes, whether they occur in it or not.
  /// Throws outside [0, size()), and for no items.
  Dataset subset(std::span<const Index> indices) const;

 private:
  struct Content {
    Shape item_shape;
    Index size = 0;
    std::vector<std::uint8_t> bytes;
    std::vector<T> values;
    std::vector<Index> labels;
    PixelRange range = PixelRange::minus_one_to_one;
    Classes classes{};
  };

  explicit Dataset(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  static Dataset make(Content content, std::size_t count);
  static void count_classes(Content& content);
  void check_items(std::span<const Index> indices) const {
    for (const Index i : indices)
      check(i >= 0 && i < size(), "dataset: item ", i, " asked for, expected one of [0, ", size(), ")");
  }

  // What counts each class takes no more memory than this many of them.
  static constexpr Index most_classes = Index{1} << 24;

  std::shared_ptr<const Content> content_;
};

namespace detail {

/// Bytes to [-1, 1] or [0, 1]: plain arithmetic on arrays, hence vector code. The ends of the range are exact.
template <class T>
void scale_bytes(const std::uint8_t* from, Index count, PixelRange range, T* to) {
  static_assert(T(127.5) * (1 / T(127.5)) == 1 && T(255) * (1 / T(255)) == 1);
  const bool centered = range == PixelRange::minus_one_to_one;
  const T offset = centered ? T(127.5) : T(0), scale = 1 / (centered ? T(127.5) : T(255));
  for (Index i = 0; i < count; ++i) to[i] = (static_cast<T>(from[i]) - offset) * scale;
}

}  // namespace detail

namespace detail {

/// FNV-1a of bytes: of all of them, or of parts of 4 KiB, the last one included, where they are many.
inline std::uint64_t hash_bytes(std::uint64_t hash, const void* bytes, std::size_t count) {
  constexpr std::size_t part = 1 << 12, parts = 1 << 8;
  const auto* const at = static_cast<const unsigned char*>(bytes);
  const auto add = [&](std::size_t begin, std::size_t length) {
    for (std::size_t i = begin; i < begin + length; ++i) hash = (hash ^ at[i]) * 0x100000001b3u;
  };
  if (count <= part * parts) {
    add(0, count);
  } else {
    for (std::size_t i = 0; i < parts; ++i) add((count - part) / (parts - 1) * i, part);
    add(count - part, part);
  }
  return hash;
}

}  // namespace detail

template <class T>
std::uint64_t Dataset<T>::fingerprint() const {
  const Content& content = *content_;
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](const auto& numbers) {
    hash = detail::hash_bytes(hash, std::data(numbers), std::size(numbers) * sizeof(*std::data(numbers)));
  };
  std::vector<Index> form(content.item_shape.begin(), content.item_shape.end());
  form.insert(form.end(), {content.size, static_cast<Index>(content.range), content.classes.count});
  add(form);
  add(content.bytes);
  add(content.values);
  add(content.labels);
  return hash;
}

template <class T>
Dataset<T> Dataset<T>::make(Content content, std::size_t count) {
  const Index item = content.item_shape.size();
  check(content.item_shape.rank() < Shape::max_rank, "dataset: items of shape ", content.item_shape,
        ", expected at most ", Shape::max_rank - 1, " axes");
  check(item > 0, "dataset: items of shape ", content.item_shape, " are empty");
  check(count > 0, "dataset: empty, expected at least one item of shape ", content.item_shape);
  check(static_cast<Index>(count) % item == 0, "dataset: ", count, " values are not a whole number of items of shape ",
        content.item_shape, " (", item, " values each)");
  content.size = static_cast<Index>(count) / item;
  check(content.labels.empty() || static_cast<Index>(content.labels.size()) == content.size, "dataset: ", content.size,
        " items but ", content.labels.size(), " labels, expected equal numbers or no labels");
  count_classes(content);
  return Dataset(std::make_shared<const Content>(std::move(content)));
}

template <class T>
void Dataset<T>::count_classes(Content& content) {
  auto& [count, names] = content.classes;
  const auto named = static_cast<Index>(names.size());
  check(count >= 0 && count <= most_classes, "dataset: ", count, " classes, expected 0 to ", most_classes);
  check(named == 0 || count == 0 || count == named, "dataset: ", named, " names of ", count,
        " classes, expected one for each or none");
  count = std::max(count, named);
  check(count == 0 || !content.labels.empty(), "dataset: ", count, " classes but no labels, expected ", content.size,
        ", one for each item");
  const Index end = count > 0 ? count : most_classes;
  for (std::size_t i = 0; i < content.labels.size(); ++i) {
    const Index label = content.labels[i];
    check(label >= 0 && label < end, "dataset: label ", label, " of item ", i, ", expected one in [0, ", end, ")");
  }
  if (count == 0 && !content.labels.empty())
    count = *std::max_element(content.labels.begin(), content.labels.end()) + 1;
}

template <class T>
Dataset<T> Dataset<T>::from_bytes(const Shape& item_shape, std::vector<std::uint8_t> bytes, std::vector<Index> labels,
                                  PixelRange range, Classes classes) {
  const std::size_t count = bytes.size();
  return make({item_shape, 0, std::move(bytes), {}, std::move(labels), range, std::move(classes)}, count);
}

template <class T>
Dataset<T> Dataset<T>::from(const Shape& item_shape, std::vector<T> values, std::vector<Index> labels,
                            Classes classes) {
  const auto bad = std::find_if_not(values.begin(), values.end(), [](T x) { return std::isfinite(x); });
  check(bad == values.end(), "dataset: value ", bad - values.begin(), " is not finite");
  const std::size_t count = values.size();
  return make({item_shape, 0, {}, std::move(values), std::move(labels), {}, std::move(classes)}, count);
}

template <class T>
Index Dataset<T>::label(Index i) const {
  check(has_labels(), "dataset: has no labels");
  check(i >= 0 && i < size(), "dataset: label ", i, " asked for, expected one of [0, ", size(), ")");
  return content_->labels[static_cast<std::size_t>(i)];
}

template <class T>
Tensor<T> Dataset<T>::gather(std::span<const Index> indices) const {
  check_items(indices);
  const Content& content = *content_;
  const Index count = static_cast<Index>(indices.size()), item = content.item_shape.size();
  auto batch = Tensor<T>::empty(content.item_shape.inserted(0, count));
  T* const to = batch.mutable_data();
  parallel_for(count, std::max<Index>(1, (1 << 17) / item), [&](Index begin, Index end) {
    for (Index k = begin; k < end; ++k) {
      const Index start = indices[static_cast<std::size_t>(k)] * item;
      if (content.values.empty())
        detail::scale_bytes(content.bytes.data() + start, item, content.range, to + k * item);
      else
        std::copy_n(content.values.data() + start, item, to + k * item);
    }
  });
  return batch;
}

template <class T>
Dataset<T> Dataset<T>::subset(std::span<const Index> indices) const {
  check_items(indices);
  const Content& content = *content_;
  const Index item = content.item_shape.size();
  Content part{content.item_shape, 0, {}, {}, {}, content.range, content.classes};
  const auto copy = [&](const auto& from, auto& to, Index length) {
    if (from.empty()) return;
    to.reserve(indices.size() * static_cast<std::size_t>(length));
    for (const Index i : indices) to.insert(to.end(), from.begin() + i * length, from.begin() + (i + 1) * length);
  };
  copy(content.bytes, part.bytes, item);
  copy(content.values, part.values, item);
  copy(content.labels, part.labels, 1);
  const std::size_t count = content.values.empty() ? part.bytes.size() : part.values.size();
  return make(std::move(part), count);
}

}  // namespace gan
