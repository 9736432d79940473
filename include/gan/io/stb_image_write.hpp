// stb_image_write in a private namespace, when it is found (GAN_HAS_STB_IMAGE_WRITE).
#pragma once

// Before the namespace opens, all that stb would include inside it:
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<stb/stb_image_write.h>) || __has_include(<stb_image_write.h>)
#define GAN_HAS_STB_IMAGE_WRITE 1

// All of stb goes into a namespace. Its guard and settings are put aside before and put back after, so that the user
// may include stb in the same file, with the implementation or without, before this header or after it.
#pragma push_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma push_macro("STBIWDEF")
#pragma push_macro("STBIW_ASSERT")
#pragma push_macro("STBIW_CRC32")
#pragma push_macro("STBIW_FREE")
#pragma push_macro("STBIW_MALLOC")
#pragma push_macro("STBIW_MEMMOVE")
#pragma push_macro("STBIW_REALLOC")
#pragma push_macro("STBIW_REALLOC_SIZED")
#pragma push_macro("STBIW_WINDOWS_UTF8")
#pragma push_macro("STBIW_ZLIB_COMPRESS")
#pragma push_macro("STBI_WRITE_NO_STDIO")
#pragma push_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_WRITE_STATIC")
#undef INCLUDE_STB_IMAGE_WRITE_H
#undef STBIWDEF
#undef STBIW_ASSERT
#undef STBIW_CRC32
#undef STBIW_FREE
#undef STBIW_MALLOC
#undef STBIW_MEMMOVE
#undef STBIW_REALLOC
#undef STBIW_REALLOC_SIZED
#undef STBIW_WINDOWS_UTF8
#undef STBIW_ZLIB_COMPRESS
#undef STBI_WRITE_NO_STDIO
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#undef STBIW_EXTERN
#undef STBIW_UCHAR
#undef stbiw__ZHASH
#undef stbiw__max
#undef stbiw__sbcount
#undef stbiw__sbfree
#undef stbiw__sbgrow
#undef stbiw__sbm
#undef stbiw__sbmaybegrow
#undef stbiw__sbn
#undef stbiw__sbneedgrow
#undef stbiw__sbpush
#undef stbiw__sbraw
#undef stbiw__wp32
#undef stbiw__wpng4
#undef stbiw__wptag
#undef stbiw__zlib_add
#undef stbiw__zlib_flush
#undef stbiw__zlib_huff
#undef stbiw__zlib_huff1
#undef stbiw__zlib_huff2
#undef stbiw__zlib_huff3
#undef stbiw__zlib_huff4
#undef stbiw__zlib_huffa
#undef stbiw__zlib_huffb

// Its functions have the linkage of C, which knows no namespaces: apart from the user's, they need other names.
#define stbi_flip_vertically_on_write gan_stbi_flip_vertically_on_write
#define stbi_write_bmp_to_func gan_stbi_write_bmp_to_func
#define stbi_write_hdr_to_func gan_stbi_write_hdr_to_func
#define stbi_write_jpg_to_func gan_stbi_write_jpg_to_func
#define stbi_write_png_to_func gan_stbi_write_png_to_func
#define stbi_write_png_to_mem gan_stbi_write_png_to_mem
#define stbi_write_tga_to_func gan_stbi_write_tga_to_func
#define stbi_zlib_compress gan_stbi_zlib_compress
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STBIW_ASSERT(x) ((void)(x))

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#endif
namespace gan::detail::stb_write {
using std::abs;  // not gan::abs, which would hide it
#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_image_write.h>
#else
#include <stb_image_write.h>
#endif
}  // namespace gan::detail::stb_write
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#undef stbi_flip_vertically_on_write
#undef stbi_write_bmp_to_func
#undef stbi_write_hdr_to_func
#undef stbi_write_jpg_to_func
#undef stbi_write_png_to_func
#undef stbi_write_png_to_mem
#undef stbi_write_tga_to_func
#undef stbi_zlib_compress
#undef STBIW_EXTERN
#undef STBIW_UCHAR
#undef stbiw__ZHASH
#undef stbiw__max
#undef stbiw__sbcount
#undef stbiw__sbfree
#undef stbiw__sbgrow
#undef stbiw__sbm
#undef stbiw__sbmaybegrow
#undef stbiw__sbn
#undef stbiw__sbneedgrow
#undef stbiw__sbpush
#undef stbiw__sbraw
#undef stbiw__wp32
#undef stbiw__wpng4
#undef stbiw__wptag
#undef stbiw__zlib_add
#undef stbiw__zlib_flush
#undef stbiw__zlib_huff
#undef stbiw__zlib_huff1
#undef stbiw__zlib_huff2
#undef stbiw__zlib_huff3
#undef stbiw__zlib_huff4
#undef stbiw__zlib_huffa
#undef stbiw__zlib_huffb
#pragma pop_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma pop_macro("STBIWDEF")
#pragma pop_macro("STBIW_ASSERT")
#pragma pop_macro("STBIW_CRC32")
#pragma pop_macro("STBIW_FREE")
#pragma pop_macro("STBIW_MALLOC")
#pragma pop_macro("STBIW_MEMMOVE")
#pragma pop_macro("STBIW_REALLOC")
#pragma pop_macro("STBIW_REALLOC_SIZED")
#pragma pop_macro("STBIW_WINDOWS_UTF8")
#pragma pop_macro("STBIW_ZLIB_COMPRESS")
#pragma pop_macro("STBI_WRITE_NO_STDIO")
#pragma pop_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma pop_macro("STB_IMAGE_WRITE_STATIC")

#endif
