// Includes everything, as second.cpp does: a function that is not inline would be defined twice.
#include <gan/gan.hpp>

const void* address_in_second();

int main() {
  void (*const here)(bool, const char* const&) = &gan::check<const char*>;
  return address_in_second() == reinterpret_cast<const void*>(here) ? 0 : 1;
}
