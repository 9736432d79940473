// One of the lists of support/instances.hpp, GAN_INSTANCES, in earnest.
#include "support/instances.hpp"

namespace gan {

GAN_INSTANCES(template, float)
GAN_INSTANCES(template, double)

}  // namespace gan
