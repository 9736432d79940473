#include "gan/data/mnist.hpp"

#include <cstdlib>
#include <numeric>
#include <vector>

#include "gan/data/digits.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using gan::Index;

namespace {

std::vector<Index> histogram(std::span<const Index> labels) {
  std::vector<Index> count(10);
  for (const Index label : labels) ++count.at(static_cast<std::size_t>(label));
  return count;
}

template <class T>
double mean(const gan::Dataset<T>& data) {
  double sum = 0;
  for (Index i = 0; i < data.size(); i += 1000) {
    std::vector<Index> indices(static_cast<std::size_t>(std::min<Index>(1000, data.size() - i)));
    std::iota(indices.begin(), indices.end(), i);
    sum += data.gather(indices).values().template cast<double>().sum();
  }
  return sum / static_cast<double>(data.size() * data.item_shape().size());
}

void put_set(const TemporaryFolder& folder, const std::string& images, const std::string& labels, Index count,
             Index label_count) {
  gan::write_idx(folder / images, {count, 2, 3}, std::vector<std::uint8_t>(static_cast<std::size_t>(count * 6), 255));
  std::vector<std::uint8_t> numbers(static_cast<std::size_t>(label_count));
  std::iota(numbers.begin(), numbers.end(), std::uint8_t{0});
  gan::write_idx(folder / labels, {label_count}, numbers);
}

}  // namespace

TEST_CASE("the real MNIST has its known numbers") {
  const char* const folder = std::getenv("GAN_MNIST_DIR");
  if (folder == nullptr) {
    WARN("skipped: GAN_MNIST_DIR is not set");
    return;
  }
  const auto train = gan::load_mnist<float>(folder, true, gan::PixelRange::zero_to_one);
  CHECK(train.size() == 60000);
  CHECK(train.item_shape() == gan::Shape{28, 28, 1});
  CHECK(histogram(train.labels()) == std::vector<Index>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(train.classes() == 10);
  CHECK(mean(train) == Approx(0.1307).margin(0.00005));
  const auto test = gan::load_mnist<double>(folder, false);
  CHECK(test.size() == 10000);
  CHECK(histogram(test.labels()) == std::vector<Index>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  CHECK(mean(test) == Approx(2 * 0.1325 - 1).margin(0.0002));
}

TEST_CASE("files are found under both of their names") {
  TemporaryFolder folder;
  CHECK_FALSE(gan::has_mnist(folder.path()));
  put_set(folder, "train-images-idx3-ubyte", "train-labels.idx1-ubyte", 5, 5);
  CHECK(gan::has_mnist(folder.path()));
  CHECK_FALSE(gan::has_mnist(folder.path(), false));
  const auto data = gan::load_mnist<float>(folder.path());
  CHECK(data.size() == 5);
  CHECK(data.item_shape() == gan::Shape{2, 3, 1});
  CHECK(data.label(4) == 4);
  CHECK(data.classes() == 5);
  CHECK(data.gather(std::vector<Index>{0}).values().minCoeff() == 1);
}

TEST_CASE("folders that are not MNIST are errors") {
  TemporaryFolder folder;
  REQUIRE_THROWS_WITH(gan::load_mnist<float>(folder.path()), ContainsSubstring(folder.path().string()) &&
                                                                 ContainsSubstring("no file train-images-idx3-ubyte"));
  put_set(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", 5, 4);
  REQUIRE_THROWS_WITH(gan::load_mnist<float>(folder.path()), ContainsSubstring("5 images but 4 labels"));
  put_set(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", 0, 0);
  REQUIRE_THROWS_WITH(gan::load_mnist<float>(folder.path()), ContainsSubstring("empty"));
  gan::write_idx(folder / "train-images-idx3-ubyte", {4}, std::vector<std::uint8_t>(4));
  REQUIRE_THROWS_WITH(gan::load_mnist<float>(folder.path()), ContainsSubstring("expected 3 axes, found shape [4]"));
}

TEST_CASE("EMNIST is found under its own names and stands upright") {
  TemporaryFolder folder;
  for (const char* set : {"emnist-letters-train-", "emnist-letters-test-"}) {
    gan::write_idx(folder / (std::string(set) + "images-idx3-ubyte"), {2, 2, 2},
                   std::vector<std::uint8_t>{0, 255, 51, 102, 1, 2, 3, 4});
    gan::write_idx(folder / (std::string(set) + "labels-idx1-ubyte"), {2}, std::vector<std::uint8_t>{26, 1});
  }
  for (const bool train : {true, false}) {
    const auto data = gan::load_emnist<float>(folder.path(), "letters", train, gan::PixelRange::zero_to_one);
    CHECK(data.item_shape() == gan::Shape{2, 2, 1});
    CHECK(data.label(0) == 26);
    CHECK(data.classes() == 27);
    const auto all = data.gather(std::vector<Index>{0, 1});
    CHECK(all.at({0, 0, 1, 0}) == Approx(0.2));
    CHECK(all.at({0, 1, 0, 0}) == 1);
    CHECK(all.at({1, 1, 0, 0}) == Approx(2 / 255.0));
  }
  REQUIRE_THROWS_WITH(gan::load_emnist<float>(folder.path(), "digits"),
                      ContainsSubstring("no file emnist-digits-train-images-idx3-ubyte"));
  REQUIRE_THROWS_WITH(gan::load_mnist<float>(folder.path()), ContainsSubstring("load_emnist(folder, \"letters\")"));
}

TEST_CASE("the drawn digits come in the form of MNIST") {
  const auto data = gan::digits_dataset<float>(100, 5);
  CHECK(data.size() == 100);
  CHECK(data.item_shape() == gan::Shape{28, 28, 1});
  CHECK(histogram(data.labels()) == std::vector<Index>(10, 10));
  CHECK(gan::digits_dataset<float>(1, 5).classes() == 10);
  const auto all = data.gather(std::vector<Index>{0, 50, 99});
  CHECK(all.values().minCoeff() == -1);
  CHECK(all.values().maxCoeff() > 0.9f);
  REQUIRE_THROWS_AS(gan::digits_dataset<float>(0, 5), gan::Error);
}
