// Reading gzip streams piece by piece, through zlib when it was found.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#if defined(GAN_HAS_ZLIB) && GAN_HAS_ZLIB
#include <zlib.h>
#endif

#include "gan/io/atomic_file.hpp"

namespace gan::detail {

/// No deflate stream expands more than this: a larger claim is known to be wrong before anything is inflated.
inline constexpr std::uint64_t largest_gzip_ratio = 1032;

#if defined(GAN_HAS_ZLIB) && GAN_HAS_ZLIB

/// The inflated bytes of a gzip file (one member or several), with its checksums verified; holds 64 KiB at a time.
class GzipReader {
 public:
  explicit GzipReader(InputFile& file) : file_(file) {
    // 15 + 16: the largest window, gzip wrapping.
    check(inflateInit2(&stream_, 15 + 16) == Z_OK, file_.path().string(), ": zlib cannot start");
  }
  ~GzipReader() { inflateEnd(&stream_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Inflates up to `bytes`; fewer only at the end of the stream. Throws on corrupt or truncated data.
  std::size_t read(std::uint8_t* to, std::size_t bytes) {
    std::size_t got = 0;
    while (got < bytes && !ended_) {
      const auto room = static_cast<uInt>(std::min<std::size_t>(bytes - got, 1u << 30));
      stream_.next_out = to + got;
      stream_.avail_out = room;
      inflate_some();
      got += room - stream_.avail_out;
    }
    return got;
  }

 private:
  void inflate_some() {
    if (stream_.avail_in == 0) refill();
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      if (stream_.avail_in == 0 && file_.remaining() > 0) refill();
      if (stream_.avail_in == 0)
        ended_ = true;
      else  // another member; trailing garbage fails as one
        check(inflateReset(&stream_) == Z_OK, file_.path().string(), ": zlib cannot go on");
      return;
    }
    check(code == Z_OK || code == Z_BUF_ERROR, file_.path().string(), ": corrupt gzip data before byte ",
          file_.size() - file_.remaining(), ": ", stream_.msg != nullptr ? stream_.msg : "unknown error");
  }
  void refill() {
    check(file_.remaining() > 0, file_.path().string(), ": truncated: the gzip data has no end after ", file_.size(),
          " bytes");
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(file_.remaining(), buffer_.size()));
    file_.read(buffer_.data(), bytes, "gzip data");
    stream_.next_in = buffer_.data();
    stream_.avail_in = static_cast<uInt>(bytes);
  }

  InputFile& file_;
  std::array<std::uint8_t, 1 << 16> buffer_;
  z_stream stream_{};
  bool ended_ = false;
};

#else

class GzipReader {
 public:
  explicit GzipReader(InputFile& file) {
    fail(file.path().string(), ": is compressed, and this program was built without zlib: unpack it (gzip -d), or ",
         "install zlib (Debian and Ubuntu: zlib1g-dev) and build again with GAN_HAS_ZLIB=1");
  }
  std::size_t read(std::uint8_t*, std::size_t) { return 0; }
};

#endif

}  // namespace gan::detail
