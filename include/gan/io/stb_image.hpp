// stb_image in a private namespace, for PNG and JPEG, when it is found (GAN_HAS_STB_IMAGE).
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

namespace gan::detail::stb_read {

/// Bytes of the largest block that the picture being decoded in this thread may ask for: a small file cannot inflate to
/// more. Set before each call of stb.
inline thread_local size_t largest_block = 0;
/// Whether stb asked for more.
inline thread_local bool asked_too_much = false;

inline bool too_much(size_t bytes) {
  if (bytes > largest_block) asked_too_much = true;
  return bytes > largest_block;
}
// Zeros, so that what a broken file leaves out is black, not what the heap held before.
inline void* allocate(size_t bytes) { return too_much(bytes) ? nullptr : calloc(1, bytes); }
inline void* reallocate(void* block, size_t before, size_t bytes) {
  if (too_much(bytes)) return nullptr;
  void* const grown = realloc(block, bytes);
  if (grown != nullptr && bytes > before) memset(static_cast<char*>(grown) + before, 0, bytes - before);
  return grown;
}

}  // namespace gan::detail::stb_read

#if __has_include(<stb/stb_image.h>) || __has_include(<stb_image.h>)
#define GAN_HAS_STB_IMAGE 1

// All of stb goes into a namespace. Its guard and settings are put aside before and put back after, so that the user
// may include stb in the same file, with the implementation or without, before this header or after it.
#pragma push_macro("STBIDEF")
#pragma push_macro("STBI_ASSERT")
#pragma push_macro("STBI_FAILURE_USERMSG")
#pragma push_macro("STBI_FREE")
#pragma push_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma push_macro("STBI_MALLOC")
#pragma push_macro("STBI_MAX_DIMENSIONS")
#pragma push_macro("STBI_NEON")
#pragma push_macro("STBI_NO_BMP")
#pragma push_macro("STBI_NO_FAILURE_STRINGS")
#pragma push_macro("STBI_NO_GIF")
#pragma push_macro("STBI_NO_HDR")
#pragma push_macro("STBI_NO_JPEG")
#pragma push_macro("STBI_NO_LINEAR")
#pragma push_macro("STBI_NO_PIC")
#pragma push_macro("STBI_NO_PNG")
#pragma push_macro("STBI_NO_PNM")
#pragma push_macro("STBI_NO_PSD")
#pragma push_macro("STBI_NO_SIMD")
#pragma push_macro("STBI_NO_STDIO")
#pragma push_macro("STBI_NO_TGA")
#pragma push_macro("STBI_NO_THREAD_LOCALS")
#pragma push_macro("STBI_NO_ZLIB")
#pragma push_macro("STBI_ONLY_JPEG")
#pragma push_macro("STBI_ONLY_PNG")
#pragma push_macro("STBI_REALLOC")
#pragma push_macro("STBI_REALLOC_SIZED")
#pragma push_macro("STBI_SSE2")
#pragma push_macro("STBI_SUPPORT_ZLIB")
#pragma push_macro("STBI_WINDOWS_UTF8")
#pragma push_macro("STB_IMAGE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_STATIC")
#undef STBIDEF
#undef STBI_ASSERT
#undef STBI_FAILURE_USERMSG
#undef STBI_FREE
#undef STBI_INCLUDE_STB_IMAGE_H
#undef STBI_MALLOC
#undef STBI_MAX_DIMENSIONS
#undef STBI_NEON
#undef STBI_NO_BMP
#undef STBI_NO_FAILURE_STRINGS
#undef STBI_NO_GIF
#undef STBI_NO_HDR
#undef STBI_NO_JPEG
#undef STBI_NO_LINEAR
#undef STBI_NO_PIC
#undef STBI_NO_PNG
#undef STBI_NO_PNM
#undef STBI_NO_PSD
#undef STBI_NO_SIMD
#undef STBI_NO_STDIO
#undef STBI_NO_TGA
#undef STBI_NO_THREAD_LOCALS
#undef STBI_NO_ZLIB
#undef STBI_ONLY_JPEG
#undef STBI_ONLY_PNG
#undef STBI_REALLOC
#undef STBI_REALLOC_SIZED
#undef STBI_SSE2
#undef STBI_SUPPORT_ZLIB
#undef STBI_WINDOWS_UTF8
#undef STB_IMAGE_IMPLEMENTATION
#undef STB_IMAGE_STATIC
#undef FAST_BITS
#undef STBI_EXTERN
#undef STBI_HAS_LROTL
#undef STBI_NOTUSED
#undef STBI_SIMD_ALIGN
#undef STBI_THREAD_LOCAL
#undef STBI_VERSION
#undef STBI__BYTECAST
#undef STBI__COMBO
#undef STBI__IDCT_1D
#undef STBI__MARKER_none
#undef STBI__PNG_TYPE
#undef STBI__RESTART
#undef STBI__X64_TARGET
#undef STBI__X86_TARGET
#undef STBI__ZFAST_BITS
#undef STBI__ZFAST_MASK
#undef STBI__ZNSYMS
#undef stbi__DNL
#undef stbi__EOI
#undef stbi__SOF
#undef stbi__SOF_progressive
#undef stbi__SOI
#undef stbi__SOS
#undef stbi__de_iphone_flag
#undef stbi__div16
#undef stbi__div4
#undef stbi__err
#undef stbi__errpf
#undef stbi__errpuc
#undef stbi__f2f
#undef stbi__float2fixed
#undef stbi__fsh
#undef stbi__unpremultiply_on_load
#undef stbi__vertically_flip_on_load
#undef stbi_inline
#undef stbi_lrot

// Its functions have the linkage of C, which knows no namespaces: apart from the user's, they need other names.
#define stbi_convert_iphone_png_to_rgb gan_stbi_convert_iphone_png_to_rgb
#define stbi_convert_iphone_png_to_rgb_thread gan_stbi_convert_iphone_png_to_rgb_thread
#define stbi_failure_reason gan_stbi_failure_reason
#define stbi_image_free gan_stbi_image_free
#define stbi_info_from_callbacks gan_stbi_info_from_callbacks
#define stbi_info_from_memory gan_stbi_info_from_memory
#define stbi_is_16_bit_from_callbacks gan_stbi_is_16_bit_from_callbacks
#define stbi_is_16_bit_from_memory gan_stbi_is_16_bit_from_memory
#define stbi_is_hdr_from_callbacks gan_stbi_is_hdr_from_callbacks
#define stbi_is_hdr_from_memory gan_stbi_is_hdr_from_memory
#define stbi_load_16_from_callbacks gan_stbi_load_16_from_callbacks
#define stbi_load_16_from_memory gan_stbi_load_16_from_memory
#define stbi_load_from_callbacks gan_stbi_load_from_callbacks
#define stbi_load_from_memory gan_stbi_load_from_memory
#define stbi_set_flip_vertically_on_load gan_stbi_set_flip_vertically_on_load
#define stbi_set_flip_vertically_on_load_thread gan_stbi_set_flip_vertically_on_load_thread
#define stbi_set_unpremultiply_on_load gan_stbi_set_unpremultiply_on_load
#define stbi_set_unpremultiply_on_load_thread gan_stbi_set_unpremultiply_on_load_thread
#define stbi_zlib_decode_buffer gan_stbi_zlib_decode_buffer
#define stbi_zlib_decode_malloc gan_stbi_zlib_decode_malloc
#define stbi_zlib_decode_malloc_guesssize gan_stbi_zlib_decode_malloc_guesssize
#define stbi_zlib_decode_malloc_guesssize_headerflag gan_stbi_zlib_decode_malloc_guesssize_headerflag
#define stbi_zlib_decode_noheader_buffer gan_stbi_zlib_decode_noheader_buffer
#define stbi_zlib_decode_noheader_malloc gan_stbi_zlib_decode_noheader_malloc
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_NO_SIMD
#define STBI_MAX_DIMENSIONS 16384
#define STBI_ASSERT(x) ((void)(x))
#define STBI_MALLOC(sz) gan::detail::stb_read::allocate(sz)
#define STBI_REALLOC_SIZED(p, before, sz) gan::detail::stb_read::reallocate(p, before, sz)
#define STBI_FREE(p) free(p)

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
namespace gan::detail::stb_read {
using std::abs;  // not gan::abs, which would hide it
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif
}  // namespace gan::detail::stb_read
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#undef stbi_convert_iphone_png_to_rgb
#undef stbi_convert_iphone_png_to_rgb_thread
#undef stbi_failure_reason
#undef stbi_image_free
#undef stbi_info_from_callbacks
#undef stbi_info_from_memory
#undef stbi_is_16_bit_from_callbacks
#undef stbi_is_16_bit_from_memory
#undef stbi_is_hdr_from_callbacks
#undef stbi_is_hdr_from_memory
#undef stbi_load_16_from_callbacks
#undef stbi_load_16_from_memory
#undef stbi_load_from_callbacks
#undef stbi_load_from_memory
#undef stbi_set_flip_vertically_on_load
#undef stbi_set_flip_vertically_on_load_thread
#undef stbi_set_unpremultiply_on_load
#undef stbi_set_unpremultiply_on_load_thread
#undef stbi_zlib_decode_buffer
#undef stbi_zlib_decode_malloc
#undef stbi_zlib_decode_malloc_guesssize
#undef stbi_zlib_decode_malloc_guesssize_headerflag
#undef stbi_zlib_decode_noheader_buffer
#undef stbi_zlib_decode_noheader_malloc
#undef FAST_BITS
#undef STBI_EXTERN
#undef STBI_HAS_LROTL
#undef STBI_NOTUSED
#undef STBI_SIMD_ALIGN
#undef STBI_THREAD_LOCAL
#undef STBI_VERSION
#undef STBI__BYTECAST
#undef STBI__COMBO
#undef STBI__IDCT_1D
#undef STBI__MARKER_none
#undef STBI__PNG_TYPE
#undef STBI__RESTART
#undef STBI__X64_TARGET
#undef STBI__X86_TARGET
#undef STBI__ZFAST_BITS
#undef STBI__ZFAST_MASK
#undef STBI__ZNSYMS
#undef stbi__DNL
#undef stbi__EOI
#undef stbi__SOF
#undef stbi__SOF_progressive
#undef stbi__SOI
#undef stbi__SOS
#undef stbi__de_iphone_flag
#undef stbi__div16
#undef stbi__div4
#undef stbi__err
#undef stbi__errpf
#undef stbi__errpuc
#undef stbi__f2f
#undef stbi__float2fixed
#undef stbi__fsh
#undef stbi__unpremultiply_on_load
#undef stbi__vertically_flip_on_load
#undef stbi_inline
#undef stbi_lrot
#pragma pop_macro("STBIDEF")
#pragma pop_macro("STBI_ASSERT")
#pragma pop_macro("STBI_FAILURE_USERMSG")
#pragma pop_macro("STBI_FREE")
#pragma pop_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma pop_macro("STBI_MALLOC")
#pragma pop_macro("STBI_MAX_DIMENSIONS")
#pragma pop_macro("STBI_NEON")
#pragma pop_macro("STBI_NO_BMP")
#pragma pop_macro("STBI_NO_FAILURE_STRINGS")
#pragma pop_macro("STBI_NO_GIF")
#pragma pop_macro("STBI_NO_HDR")
#pragma pop_macro("STBI_NO_JPEG")
#pragma pop_macro("STBI_NO_LINEAR")
#pragma pop_macro("STBI_NO_PIC")
#pragma pop_macro("STBI_NO_PNG")
#pragma pop_macro("STBI_NO_PNM")
#pragma pop_macro("STBI_NO_PSD")
#pragma pop_macro("STBI_NO_SIMD")
#pragma pop_macro("STBI_NO_STDIO")
#pragma pop_macro("STBI_NO_TGA")
#pragma pop_macro("STBI_NO_THREAD_LOCALS")
#pragma pop_macro("STBI_NO_ZLIB")
#pragma pop_macro("STBI_ONLY_JPEG")
#pragma pop_macro("STBI_ONLY_PNG")
#pragma pop_macro("STBI_REALLOC")
#pragma pop_macro("STBI_REALLOC_SIZED")
#pragma pop_macro("STBI_SSE2")
#pragma pop_macro("STBI_SUPPORT_ZLIB")
#pragma pop_macro("STBI_WINDOWS_UTF8")
#pragma pop_macro("STB_IMAGE_IMPLEMENTATION")
#pragma pop_macro("STB_IMAGE_STATIC")

#endif
