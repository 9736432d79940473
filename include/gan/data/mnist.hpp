// MNIST from the folder that holds its files; sets made alike (Fashion-MNIST, KMNIST) load as well, and EMNIST.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/data/dataset.hpp"
#include "gan/io/idx.hpp"

namespace gan {

/// Whether the folder has both files of the training set (or of the test set), plain or compressed.
bool has_mnist(const std::filesystem::path& folder, bool train = true);

/// The 60,000 training or 10,000 test images [28, 28, 1] with labels 0 ... 9, from files named as they are published
/// (train-images-idx3-ubyte, t10k-labels-idx1-ubyte ...; or .idx3-ubyte), plain or .gz. Throws when a file is missing
/// or broken, and when the numbers of images and labels differ. There are as many classes as the largest label says: 10
/// for all of MNIST. LeCun, Cortes and Burges, 1998.
template <class T>
Dataset<T> load_mnist(const std::filesystem::path& folder, bool train = true,
                      PixelRange range = PixelRange::minus_one_to_one);

/// One split of EMNIST ("balanced", "byclass", "bymerge", "digits", "letters", "mnist") from files named as they are
/// published (emnist-letters-train-images-idx3-ubyte ...), plain or .gz: images [28, 28, 1] with the labels of the
/// files (those of "letters" are 1 ... 26: 27 classes, of which the first does not occur). The files hold rows and
/// columns exchanged; here the letters stand upright. Cohen et al., 2017.
template <class T>
Dataset<T> load_emnist(const std::filesystem::path& folder, const std::string& split, bool train = true,
                       PixelRange range = PixelRange::minus_one_to_one);

namespace detail {

/// "train-" or "t10k-"; for a split of EMNIST "emnist-<split>-train-" or "emnist-<split>-test-".
inline std::string mnist_prefix(bool train, const std::string& split = "") {
  if (split.empty()) return train ? "train-" : "t10k-";
  return "emnist-" + split + (train ? "-train-" : "-test-");
}

/// The file of one kind ("images-idx3"), or an empty path.
inline std::filesystem::path find_mnist_file(const std::filesystem::path& folder, const std::string& prefix,
                                             const std::string& kind) {
  const std::string name = prefix + kind + "-ubyte";
  std::string dotted = name;
  dotted.replace(dotted.find("-idx"), 1, ".");
  for (const char* ending : {"", ".gz"})
    for (const std::string& base : {name, dotted}) {
      std::error_code ignored;
      auto path = folder / (base + ending);
      if (std::filesystem::is_regular_file(path, ignored)) return path;
    }
  return {};
}

inline IdxArray read_mnist_file(const std::filesystem::path& folder, const std::string& prefix, const std::string& kind,
                                Index rank) {
  const auto path = find_mnist_file(folder, prefix, kind);
  if (path.empty()) {
    std::string hint;
    for (const char* split : {"balanced", "byclass", "bymerge", "digits", "letters", "mnist"})
      for (const bool train : {true, false})
        if (hint.empty() && !find_mnist_file(folder, mnist_prefix(train, split), kind).empty())
          hint = std::string("; it holds EMNIST: load_emnist(folder, \"") + split + "\") reads that";
    fail("MNIST: folder ", folder.string(), " has no file ", prefix, kind, "-ubyte, plain or .gz", hint);
  }
  auto array = read_idx(path);
  check(array.shape.rank() == rank, path.string(), ": expected ", rank, " axes, found shape ", array.shape);
  return array;
}

template <class T>
Dataset<T> load_mnist_files(const std::filesystem::path& folder, const std::string& prefix, bool exchanged,
                            PixelRange range) {
  auto images = read_mnist_file(folder, prefix, "images-idx3", 3);
  const auto labels = read_mnist_file(folder, prefix, "labels-idx1", 1);
  check(images.shape[0] == labels.shape[0], "MNIST: folder ", folder.string(), ": ", images.shape[0], " images but ",
        labels.shape[0], " labels, expected equal numbers");
  check(images.shape.size() > 0, "MNIST: folder ", folder.string(), ": images of shape ", images.shape, " are empty");
  const Index rows = images.shape[1], columns = images.shape[2];
  if (exchanged) {
    check(rows == columns, "MNIST: folder ", folder.string(), ": images of shape ", images.shape, ", expected squares");
    for (auto image = images.bytes.begin(); image != images.bytes.end(); image += rows * columns)
      for (Index y = 0; y < rows; ++y)
        for (Index x = 0; x < y; ++x) std::swap(image[y * columns + x], image[x * columns + y]);
  }
  return Dataset<T>::from_bytes({rows, columns, 1}, std::move(images.bytes),
                                std::vector<Index>(labels.bytes.begin(), labels.bytes.end()), range);
}

}  // namespace detail

inline bool has_mnist(const std::filesystem::path& folder, bool train) {
  const std::string prefix = detail::mnist_prefix(train);
  return !detail::find_mnist_file(folder, prefix, "images-idx3").empty() &&
         !detail::find_mnist_file(folder, prefix, "labels-idx1").empty();
}

template <class T>
Dataset<T> load_mnist(const std::filesystem::path& folder, bool train, PixelRange range) {
  return detail::load_mnist_files<T>(folder, detail::mnist_prefix(train), false, range);
}

template <class T>
Dataset<T> load_emnist(const std::filesystem::path& folder, const std::string& split, bool train, PixelRange range) {
  check(!split.empty(), "EMNIST: folder ", folder.string(), ": expected the name of a split, as \"letters\"");
  return detail::load_mnist_files<T>(folder, detail::mnist_prefix(train, split), true, range);
}

}  // namespace gan
