#include "gan/io/safetensors.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using gan::NamedTensors;
using gan::Tensor;

namespace {

std::string file_of(const std::string& header, std::size_t data_bytes, std::uint64_t claimed_length) {
  std::string text(8, '\0');
  std::memcpy(text.data(), &claimed_length, 8);
  return text + header + std::string(data_bytes, '\0');
}
std::string file_of(const std::string& header, std::size_t data_bytes) {
  return file_of(header, data_bytes, header.size());
}

template <class T>
std::vector<T> values(const Tensor<T>& x) {
  return {x.data(), x.data() + x.size()};
}

}  // namespace

TEMPLATE_TEST_CASE("tensors and metadata come back as they were saved", "", float, double) {
  TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  const auto low = std::numeric_limits<TestType>::denorm_min(), nan = std::numeric_limits<TestType>::quiet_NaN();
  const NamedTensors<TestType> tensors{{"z.weight", Tensor<TestType>({2, 3}, {1, -2, low, 4, 5, nan})},
                                       {"a \"quoted\"\n\xc3\xa9", Tensor<TestType>::scalar(7)},
                                       {"empty", Tensor<TestType>::zeros({0, 4})},
                                       {"b", Tensor<TestType>::ones({1, 2, 3, 4, 1, 1, 1, 2})}};
  const std::map<std::string, std::string> metadata{{"step", "12"}, {"a \\ b", "\x01 \xe2\x82\xac"}, {"", ""}};
  gan::save_safetensors(path, tensors, metadata);
  const auto loaded = gan::load_safetensors<TestType>(path);
  CHECK(loaded.metadata == metadata);
  REQUIRE(loaded.tensors.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CAPTURE(tensors[i].name);
    CHECK(loaded.tensors[i].name == tensors[i].name);
    REQUIRE(loaded.tensors[i].tensor.shape() == tensors[i].tensor.shape());
    const auto bytes = static_cast<std::size_t>(tensors[i].tensor.size()) * sizeof(TestType);
    CHECK(std::memcmp(loaded.tensors[i].tensor.data(), tensors[i].tensor.data(), bytes) == 0);
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("the bytes of a file are those of the format") {
  TemporaryFolder folder;
  gan::save_safetensors<float>(folder / "a", {{"w", Tensor<float>({2}, {1, 2})}}, {{"k", "v"}});
  const std::string header = R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string text = contents(folder / "a");
  const std::size_t padded = (header.size() + 7) / 8 * 8;
  REQUIRE(text.size() == 8 + padded + 8);
  CHECK(text.substr(0, 8 + padded) == file_of(header + std::string(padded - header.size(), ' '), 0));
  const float data[] = {1, 2};
  CHECK(std::memcmp(text.data() + 8 + padded, data, 8) == 0);
  gan::save_safetensors<double>(folder / "none", {});
  CHECK(contents(folder / "none") == file_of("{}      ", 0));
  CHECK(gan::load_safetensors<double>(folder / "none").tensors.empty());
}

TEST_CASE("files made by others load: any order of keys and entries, spaces, no metadata") {
  TemporaryFolder folder;
  const float data[] = {1, 2, 3};
  std::string text = file_of(
      "{ \"second\" : {\"data_offsets\":[4,12], \"shape\":[1,2], \"dtype\":\"F32\"},\n \"first\":{\"dtype\":\"F32\","
      "\"shape\":[],\"data_offsets\":[0,4]} } ",
      0);
  text.append(reinterpret_cast<const char*>(data), sizeof data);
  put(folder / "a", text);
  const auto file = gan::load_safetensors<float>(folder / "a");
  REQUIRE(file.tensors.size() == 2);
  CHECK(file.tensors[0].name == "first");
  CHECK(file.tensors[0].tensor.item() == 1);
  CHECK(file.tensors[1].tensor.shape() == gan::Shape{1, 2});
  CHECK(values(file.tensors[1].tensor) == std::vector<float>{2, 3});
}

TEST_CASE("hostile safetensors are errors with file, expected and found") {
  TemporaryFolder folder;
  const auto path = folder / "bad.safetensors";
  const auto fails = [&](const std::string& bytes, const std::string& message) {
    CAPTURE(bytes.substr(0, 200));
    put(path, bytes);
    REQUIRE_THROWS_WITH(gan::load_safetensors<float>(path),
                        ContainsSubstring(path.string()) && ContainsSubstring(message));
    REQUIRE_THROWS_AS(gan::load_safetensors<float>(path), gan::Error);
  };
  const auto entry = [](const std::string& shape, const std::string& offsets, const std::string& dtype = "F32") {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  const auto one = [&](const std::string& shape, const std::string& offsets) {
    return R"({"w":)" + entry(shape, offsets) + "}";
  };

  // Length of the header
  fails("", "at least 8 bytes, found 0");
  fails("1234567", "at least 8 bytes, found 7");
  fails(file_of("{}", 0, 3), "expected a header of 3 bytes, found 2");
  fails(file_of("{}", 0, 100'000'000), "expected a header of 100000000 bytes, found 2");
  fails(file_of("{}", 0, 100'000'001), "at most 100000000 bytes, found a length of 100000001");
  fails(file_of("{}", 0, ~std::uint64_t{0}), "found a length of 18446744073709551615");
  fails(file_of("", 0), "begins with {");

  // JSON
  fails(file_of("{\"w\":", 0), "not valid JSON");
  fails(file_of("{}}", 0), "not valid JSON");
  fails(file_of("{} x", 0), "not valid JSON");
  fails(file_of(std::string("{}\0", 3), 0), "not valid JSON");
  fails(file_of(std::string("{}\0garbage", 10), 0), "not valid JSON");
  fails(file_of("[]", 0), "begins with {");
  fails(file_of("{\"\xff\":1}", 0), "not valid JSON");
  fails(file_of("{\"w\":1e999}", 0), "JSON");
  fails(file_of(std::string(5'000'000, '{'), 0), "not valid JSON");
  fails(file_of("{\"w\":" + std::string(5'000'000, '['), 0), "expected an object, found an array");
  std::string deep;
  for (int i = 0; i < 500'000; ++i) deep += "{\"a\":";
  fails(file_of(deep, 0), "found \"a\"");
  fails(file_of(R"({"w":{"dtype":"F32","shape":)" + std::string(5'000'000, '['), 0), "expected whole numbers");

  // Form of the entries
  fails(file_of(R"({"w":3})", 0), "expected an object, found a number");
  fails(file_of(R"({"w":null})", 0), "expected an object, found null");
  fails(file_of(R"({"w":{}})", 0), "found no dtype");
  fails(file_of(R"({"w":{"dtype":"F32","shape":[]}})", 4), "found no data_offsets");
  fails(file_of(R"({"w":{"dtype":"F32","data_offsets":[0,4]}})", 4), "found no shape");
  fails(file_of(R"({"w":{"dtype":"F32","shape":[],"data_offsets":[0,4],"more":1}})", 4), "found \"more\"");
  fails(file_of(R"({"w":{"dtype":"F32","shape":[],"shape":[],"data_offsets":[0,4]}})", 4), "has shape twice");
  fails(file_of(R"({"w":{"dtype":32,"shape":[],"data_offsets":[0,4]}})", 4),
        "dtype: expected a string, found a number");
  fails(file_of(R"({"w":{"dtype":["F32"],"shape":[],"data_offsets":[0,4]}})", 4), "expected a string, found an array");
  fails(file_of(R"({"w":{"dtype":"F32","shape":4,"data_offsets":[0,4]}})", 4),
        "shape: expected an array, found a number");
  fails(file_of(R"({"w":{"dtype":"F32","shape":{},"data_offsets":[0,4]}})", 4), "expected an array, found an object");
  fails(file_of(one("[]", "[0]"), 4), "expected 2 data_offsets, found 1");
  fails(file_of(one("[]", "[0,4,4]"), 4), "expected 2 data_offsets, found more");
  fails(file_of(one("[]", "[0,true]"), 4), "found true or false");
  fails(file_of(one("[]", "[0,\"4\"]"), 4), "found a string");
  fails(file_of(one("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4), "at most 8 axes, found more");
  const std::string twice = entry("[]", "[0,4]");
  fails(file_of("{\"w\":" + twice + ",\"w\":" + twice + "}", 4), "two entries named \"w\"");
  fails(file_of(R"({"__metadata__":{"a":1}})", 0), "metadata \"a\": expected a string, found a number");
  fails(file_of(R"({"__metadata__":{"a":{}}})", 0), "expected a string, found an object");
  fails(file_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "two entries named \"a\"");
  fails(file_of(R"({"__metadata__":{},"__metadata__":{}})", 0), "two entries named \"__metadata__\"");
  fails(file_of(R"({"__metadata__":"x"})", 0), "expected an object, found a string");

  // Types and shapes
  fails(file_of("{\"w\":" + entry("[]", "[0,8]", "F64") + "}", 8), "tensor \"w\": expected dtype F32, found \"F64\"");
  fails(file_of("{\"w\":" + entry("[2]", "[0,4]", "BF16") + "}", 4), "expected dtype F32, found \"BF16\"");
  fails(file_of("{\"w\":" + entry("[]", "[0,4]", "f32") + "}", 4), "found \"f32\"");
  fails(file_of(one("[-1]", "[0,4]"), 4), "found a negative number (-1)");
  fails(file_of(one("[1.0]", "[0,4]"), 4), "found the number \"1.0\"");
  fails(file_of(one("[18446744073709551616]", "[0,4]"), 4), "found the number \"18446744073709551616\"");
  fails(file_of(one("[18446744073709551615]", "[0,4]"), 4), "more elements than memory can hold");
  fails(file_of(one("[4294967296,4294967296]", "[0,0]"), 0), "more elements than memory can hold");
  fails(file_of(one("[4611686018427387905]", "[0,4]"), 4), "more elements than memory can hold");
  fails(file_of(one("[0,18446744073709551615,18446744073709551615]", "[0,0]"), 0),
        "more elements than memory can hold");
  fails(file_of(one("[3]", "[0,8]"), 8), "expected 12 bytes of data for F32 [3], found data_offsets [0, 8]");
  fails(file_of(one("[1]", "[0,8]"), 8), "expected 4 bytes of data");

  // Places
  const auto two = [&](const std::string& a, const std::string& b) {
    return R"({"a":)" + entry("[2]", a) + R"(,"b":)" + entry("[2]", b) + "}";
  };
  fails(file_of(two("[0,8]", "[4,12]"), 12), "tensor \"b\": expected its data to begin at 8, found 4: tensors overlap");
  fails(file_of(two("[0,8]", "[0,8]"), 8), "overlap");
  fails(file_of(two("[0,8]", "[12,20]"), 20),
        "expected its data to begin at 8, found 12: bytes that belong to no tensor");
  fails(file_of(two("[8,16]", "[16,24]"), 24), "begin at 0, found 8");
  fails(file_of(two("[0,8]", "[8,16]"), 12), "data_offsets [8, 16] go beyond the data: expected at most 12");
  fails(file_of(two("[0,8]", "[8,16]"), 17), "trailing bytes: expected 16 bytes of data after the header, found 17");
  fails(file_of(one("[2]", "[8,0]"), 8), "begin at 0, found 8");
  fails(file_of(one("[2]", "[0,18446744073709551615]"), 8), "go beyond the data");
  fails(file_of(one("[2]", "[18446744073709551608,0]"), 8), "tensor \"w\"");
  fails(file_of(one("[1073741824,1024]", "[0,4398046511104]"), 8), "go beyond the data");
}

TEST_CASE("a safetensors file cut anywhere is an error") {
  TemporaryFolder folder;
  gan::save_safetensors<float>(folder / "a", {{"x", Tensor<float>({2}, {1, 2})}, {"y", Tensor<float>::scalar(3)}},
                               {{"k", "v"}});
  const std::string text = contents(folder / "a");
  for (std::size_t length = 0; length < text.size(); ++length) {
    put(folder / "cut", text.substr(0, length));
    REQUIRE_THROWS_AS(gan::load_safetensors<float>(folder / "cut"), gan::Error);
  }
}

TEST_CASE("random damage to a header is an error or harmless") {
  TemporaryFolder folder;
  gan::save_safetensors<float>(
      folder / "a", {{"x", Tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6})}, {"y", Tensor<float>::scalar(3)}}, {{"k", "v"}});
  const std::string text = contents(folder / "a");
  std::mt19937 random(1);
  const std::string useful = "{}[],:\"0123456789-.eE\\\x00\xff FU";
  int errors = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bad = text;
    for (unsigned change = 0; change <= random() % 3; ++change) {
      const std::size_t at = random() % (bad.size() - 28);  // lengths, header
      const char c = random() % 2 ? useful[random() % useful.size()] : static_cast<char>(random());
      switch (random() % 3) {
        case 0:
          bad[at] = c;
          break;
        case 1:
          bad.insert(at, 1, c);
          break;
        default:
          bad.erase(at, 1 + random() % 4);
      }
    }
    if (random() % 2) {  // so that damage is not always to the length
      const std::uint64_t length = bad.size() - 8 - 28;
      std::memcpy(bad.data(), &length, 8);
    }
    put(folder / "b", bad);
    try {
      const auto file = gan::load_safetensors<float>(folder / "b");
      gan::Index total = 0;
      for (const auto& [name, tensor] : file.tensors) total += tensor.size();
      CHECK(total <= 7);
    } catch (const gan::Error&) {
      ++errors;
    }
  }
  CHECK(errors > 2000);
  CHECK(errors < 4000);
}

TEST_CASE("what cannot be saved is an error, and the old file stays") {
  TemporaryFolder folder;
  const auto path = folder / "a";
  put(path, "old");
  const auto one = Tensor<float>::scalar(1);
  const auto fails = [&](const NamedTensors<float>& tensors, const std::map<std::string, std::string>& metadata,
                         const std::string& message) {
    REQUIRE_THROWS_WITH(gan::save_safetensors(path, tensors, metadata),
                        ContainsSubstring(path.string()) && ContainsSubstring(message));
  };
  fails({{"x", one}, {"x", one}}, {}, "two tensors are named \"x\"");
  fails({{"", one}}, {}, "name \"\"");
  fails({{"__metadata__", one}}, {}, "__metadata__");
  fails({{"x", {}}}, {}, "\"x\" has no value");
  fails({{"\xff", one}}, {}, "expected UTF-8");
  fails({{"x", one}}, {{"k", "\xc3"}}, "expected UTF-8");
  {
    FileSizeLimit limit(1000);
    fails({{"x", Tensor<float>::zeros({100000})}}, {}, "cannot write");
  }
  CHECK(contents(path) == "old");
  CHECK(folder.entries() == 1);
  REQUIRE_THROWS_WITH(gan::save_safetensors<float>(path / "below", {{"x", one}}), ContainsSubstring("below: cannot"));
  REQUIRE_THROWS_WITH(gan::load_safetensors<float>(folder / "none"), ContainsSubstring("none: cannot open"));
  REQUIRE_THROWS_AS(gan::load_safetensors<float>(folder.path()), gan::Error);
}

TEST_CASE("a check sum finds every flipped bit, and is no one's business otherwise") {
  TemporaryFolder folder;
  const auto path = folder / "a";
  const NamedTensors<float> tensors{{"x", Tensor<float>({3}, {1, -2, 3})}, {"none", Tensor<float>::zeros({0})}};
  const std::map<std::string, std::string> metadata{{"note", "gan.crc64 \"gan.crc64\":\"0000000000000000\""},
                                                    {"z", ""}};
  gan::save_safetensors(path, tensors, metadata, {.checksum = true});
  const auto file = gan::load_safetensors<float>(path, {.require_checksum = true});
  CHECK(file.metadata == metadata);
  CHECK(values(file.tensors[0].tensor) == std::vector<float>{1, -2, 3});
  const std::string good = contents(path);
  CHECK(good.find("\"gan.crc64\":\"") != std::string::npos);
  for (std::size_t at = 0; at < good.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
      put(path, bad);
      CAPTURE(at, bit);
      REQUIRE_THROWS_WITH(gan::load_safetensors<float>(path, {.require_checksum = true}),
                          ContainsSubstring(path.string()));
    }
  // One that is there is verified, asked for or not.
  std::string bad = good;
  bad.back() ^= 1;
  put(path, bad);
  REQUIRE_THROWS_WITH(gan::load_safetensors<float>(path), ContainsSubstring("damaged: its check sum is "));
  for (const char* wrong : {"", "0", "0000000000000000", "000000000000000G"}) {
    const std::string header = std::string("{\"__metadata__\":{\"gan.crc64\":\"") + wrong + "\"}}";
    put(path, file_of(header, 0));
    REQUIRE_THROWS_WITH(gan::load_safetensors<float>(path), ContainsSubstring("damaged: its check sum is"));
  }
  put(path, file_of("{\"__metadata__\":{\"gan.crc64\" : \"0000000000000000\"}}", 0));
  REQUIRE_THROWS_WITH(gan::load_safetensors<float>(path), ContainsSubstring("not one of 16 digits"));
  gan::save_safetensors(path, tensors, metadata);
  CHECK_NOTHROW(gan::load_safetensors<float>(path));
  REQUIRE_THROWS_WITH(gan::load_safetensors<float>(path, {.require_checksum = true}),
                      ContainsSubstring("has no check sum"));
  REQUIRE_THROWS_WITH(gan::save_safetensors(path, tensors, {{"gan.crc64", "x"}}), ContainsSubstring("check sum's own"));
}

TEST_CASE("numbers of other kinds are converted when that is asked for") {
  TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  const auto read = [&](const std::string& dtype, const auto& numbers) {
    std::string data(sizeof(numbers), '\0');
    std::memcpy(data.data(), &numbers, sizeof(numbers));
    const std::string header = R"({"w":{"dtype":")" + dtype + R"(","shape":[)" + std::to_string(std::size(numbers)) +
                               R"(],"data_offsets":[0,)" + std::to_string(data.size()) + "]}}";
    const std::uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    put(path, bytes + header + data);
    const auto w = gan::load_safetensors<double>(path, {.convert = true}).tensors.at(0).tensor;
    return std::vector<double>(w.data(), w.data() + w.size());
  };
  using Numbers = std::vector<double>;
  // 1, -2, the smallest and the largest half, its smallest normal one, pi as near as it gets.
  CHECK(read("F16", std::array<std::uint16_t, 6>{0x3c00, 0xc000, 0x0001, 0x7bff, 0x0400, 0x4248}) ==
        Numbers{1, -2, std::ldexp(1.0, -24), 65504, std::ldexp(1.0, -14), 3.140625});
  const auto special = read("F16", std::array<std::uint16_t, 3>{0x7c00, 0xfc00, 0x7e00});
  CHECK(special[0] == std::numeric_limits<double>::infinity());
  CHECK(special[1] == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(special[2]));
  CHECK(read("BF16", std::array<std::uint16_t, 3>{0x3f80, 0xc040, 0x4049}) == Numbers{1, -3, 3.140625});
  CHECK(read("F32", std::array<float, 2>{0.5f, -8}) == Numbers{0.5, -8});
  CHECK(read("BOOL", std::array<std::uint8_t, 3>{0, 1, 2}) == Numbers{0, 1, 1});
  CHECK(read("I8", std::array<std::int8_t, 2>{-128, 127}) == Numbers{-128, 127});
  CHECK(read("U8", std::array<std::uint8_t, 2>{0, 255}) == Numbers{0, 255});
  CHECK(read("I16", std::array<std::int16_t, 1>{-32768}) == Numbers{-32768});
  CHECK(read("U16", std::array<std::uint16_t, 1>{65535}) == Numbers{65535});
  CHECK(read("I32", std::array<std::int32_t, 1>{-2147483647}) == Numbers{-2147483647});
  CHECK(read("U32", std::array<std::uint32_t, 1>{4294967295}) == Numbers{4294967295});
  CHECK(read("I64", std::array<std::int64_t, 1>{-5}) == Numbers{-5});  // PyTorch's num_batches_tracked
  std::array<std::uint64_t, 10'000> many;                              // more than a block
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = i * i;
  const auto squares = read("U64", many);
  for (std::size_t i = 0; i < many.size(); ++i) REQUIRE(squares[i] == static_cast<double>(i * i));
  CHECK_THROWS_WITH(read("C64", std::array<float, 2>{1, 2}), ContainsSubstring("expected dtype F16, BF16, F32"));

  gan::save_safetensors<double>(path, {{"w", Tensor<double>({2}, {0.1, 3})}}, {}, {.checksum = true});
  CHECK(gan::load_safetensors<float>(path, {.convert = true}).tensors[0].tensor.at({0}) == 0.1f);
  std::string damaged = contents(path);
  damaged.back() ^= 1;
  put(path, damaged);
  CHECK_THROWS_WITH(gan::load_safetensors<float>(path, {.convert = true}), ContainsSubstring("check sum"));
}
