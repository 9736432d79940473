// What can be known of a run before its first step.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "gan/data/loader.hpp"
#include "gan/train/checks.hpp"
#include "gan/train/kept_state.hpp"
#include "gan/train/pack.hpp"

namespace gan {

/// Tries an epoch's last batch, the smallest, on both networks, in training mode and without history. Throws when
/// items, batches, packs and networks do not fit together; nothing of them is changed.
template <class G, class D, class T>
void rehearse(G& generator, D& discriminator, const Loader<T>& loader, Index pack) {
  const Index items = loader.dataset().size(), last = loader.last_batch();
  const Index batch = std::min(loader.options().batch, items);
  const std::string batches = std::to_string(items) + " items in batches of " + std::to_string(batch) +
                              (last == batch ? "" : ", the last of " + std::to_string(last));
  const char* const cure = last == batch ? "" : ": choose another batch, or drop_last = true";
  check(batch % pack == 0 && last % pack == 0, "fit: ", batches, ", which is not made of packs of ", pack, cure);
  const NoGrad no_grad;
  generator.train();
  discriminator.train();
  Trial<T> generator_trial(generator), discriminator_trial(discriminator);
  const Tensor<T> real = loader.peek(last).samples;
  try {
    Rng rng;
    const Tensor<T> fake = generator(generator.draw(rng, last));
    const Tensor<T> seen = packed_samples(in_layout(real, fake.shape()), pack);
    check_scores_of(discriminator(seen), last / pack);
  } catch (const Error& error) {
    fail("fit: tried with ", last, " of ", batches, cure, ": ", error.what());
  }
}

/// Throws, with `name` and the step, unless the schedule gives usable numbers at the next step and at the last.
inline void rehearse(const char* name, const Schedule& schedule, Index next, Index last) {
  if (!schedule) return;
  value_at(name, schedule, next);
  if (last > next) value_at(name, schedule, last);
}

}  // namespace gan
