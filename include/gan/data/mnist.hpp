// MNIST from the folder that holds its files; sets made alike (Fashion-MNIST, KMNIST, EMNIST) load as well.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"
#include "gan/data/dataset.hpp"
#include "gan/data/idx.hpp"

namespace gan {

/// Whether the folder has both files of the training set (or of the test set), plain or compressed.
bool has_mnist(const std::filesystem::path& folder, bool train = true);

/// The 60,000 training or 10,000 test images [28, 28, 1] with labels 0 ... 9, from files named as they are published
/// (train-images-idx3-ubyte, t10k-labels-idx1-ubyte ...; or .idx3-ubyte), plain or .gz. Throws when a file is missing
/// or broken, and when the numbers of images and labels differ. LeCun, Cortes and Burges, 1998.
template <class T>
Dataset<T> load_mnist(const std::filesystem::path& folder, bool train = true,
                      PixelRange range = PixelRange::minus_one_to_one);

namespace detail {

/// The file of one kind ("images-idx3"), or an empty path.
inline std::filesystem::path find_mnist_file(const std::filesystem::path& folder, bool train, const std::string& kind) {
  const std::string name = std::string(train ? "train-" : "t10k-") + kind + "-ubyte";
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

inline IdxArray read_mnist_file(const std::filesystem::path& folder, bool train, const std::string& kind, Index rank) {
  const auto path = find_mnist_file(folder, train, kind);
  check(!path.empty(), "MNIST: folder ", folder.string(), " has no file ", train ? "train-" : "t10k-", kind,
        "-ubyte, plain or .gz");
  auto array = read_idx(path);
  check(array.shape.rank() == rank, path.string(), ": expected ", rank, " axes, found shape ", array.shape);
  return array;
}

}  // namespace detail

inline bool has_mnist(const std::filesystem::path& folder, bool train) {
  return !detail::find_mnist_file(folder, train, "images-idx3").empty() &&
         !detail::find_mnist_file(folder, train, "labels-idx1").empty();
}

template <class T>
Dataset<T> load_mnist(const std::filesystem::path& folder, bool train, PixelRange range) {
  auto images = detail::read_mnist_file(folder, train, "images-idx3", 3);
  const auto labels = detail::read_mnist_file(folder, train, "labels-idx1", 1);
  check(images.shape[0] == labels.shape[0], "MNIST: folder ", folder.string(), ": ", images.shape[0], " images but ",
        labels.shape[0], " labels, expected equal numbers");
  check(images.shape.size() > 0, "MNIST: folder ", folder.string(), ": images of shape ", images.shape, " are empty");
  return Dataset<T>::from_bytes({images.shape[1], images.shape[2], 1}, std::move(images.bytes),
                                std::vector<Index>(labels.bytes.begin(), labels.bytes.end()), range);
}

}  // namespace gan
