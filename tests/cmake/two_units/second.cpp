// See first.cpp.
#include <gan/gan.hpp>

const void* address_in_second();

const void* address_in_second() {
  void (*const here)(bool, const char* const&) = &gan::check<const char*>;
  return reinterpret_cast<const void*>(here);
}
