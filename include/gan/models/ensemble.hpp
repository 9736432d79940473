// Ensembles: several generators or several discriminators that play as one.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gan/core/finite.hpp"
#include "gan/core/philox.hpp"
#include "gan/loss/penalty.hpp"
#include "gan/models/discriminator.hpp"
#include "gan/models/generator.hpp"
#include "gan/ops/concatenate.hpp"
#include "gan/ops/gather.hpp"

namespace gan {

/// Several generators as one, the even mixture of what they generate: z [n, latent] -> samples [n, ...]. In training
/// mode row i is made by member i modulo the number of members, so that each has its fixed share of every batch and
/// neighbors, which packing shows together, come from different members. They learn apart from each other, each from
/// its own rows (MAD-GAN, Ghosh et al., 2018; MGAN, Hoang et al., 2018; both without the classifier that tells members
/// apart).
///
/// In evaluation mode a hash of the row's bits picks its member: a noise vector has one sample, whatever comes with it
/// in the call, and samples drawn one by one are the same even mixture as many at once. (Places would give a single
/// sample to member 0 always, and a counter would make sampling a part of the state.) Members cannot be told from noise
/// by any smooth function, so along a path of latents samples jump between members: take member(i) for a path.
///
///     gan::GeneratorEnsemble<float> generator(rng, 4, [](gan::Rng& r) {
///       return std::make_unique<gan::MlpGenerator<float>>(r, options);
///     });
///
/// Members are its children "member0", "member1" ...; everything a generator can do, the ensemble can. Fewer rows than
/// members are an error in training mode.
template <std::floating_point T>
class GeneratorEnsemble : public Generator<T> {
 public:
  using Members = std::vector<std::unique_ptr<Generator<T>>>;

  /// Members of any classes. Noise is drawn from the first one's distribution. Throws for no members, null ones, and
  /// different latent lengths.
  GeneratorEnsemble(Rng& rng, Members members);
  /// `count` members, each a std::unique_ptr that make(rng) returns; they differ by their initial weights.
  template <class Make>
  requires std::is_invocable_v<Make&, Rng&> GeneratorEnsemble(Rng& rng, Index count, Make make);

  /// Throws unless the members' samples have one shape.
  Tensor<T> forward(const Tensor<T>& z) override;

  Index size() const { return static_cast<Index>(members_.size()); }
  /// Throws outside [0, size()).
  Generator<T>& member(Index i);
  std::string kind() const override { return "GeneratorEnsemble"; }

 private:
  static GeneratorOptions common_options(const Members& members);

  Members members_;
};

/// Several discriminators as one: samples [n, ...] -> logits [n, k], a column a member; members that judge patches
/// [n, h, w, 1] give [n, h, w, k]. Objectives average over all logits, so the discriminator's loss is the mean of the
/// members' losses, and the generator learns from the mean of what each member tells it: GMAN with the arithmetic mean
/// (Durugkar et al., 2017). The relativistic objectives compare column by column.
///
/// All members see all samples; give them different sizes or dropout, lest they become copies of each other. Each
/// one's gradient is 1 / k of what it would be alone, which Adam and RmsProp make up for and Sgd does not. A penalty
/// given to the trainer directly would punish the slope of the members' sum: wrap it in MemberPenalty.
template <std::floating_point T>
class DiscriminatorEnsemble : public Discriminator<T> {
 public:
  using Members = std::vector<std::unique_ptr<Discriminator<T>>>;

  /// Members of any classes, children "member0", "member1" ... Throws for no members and null ones.
  DiscriminatorEnsemble(Rng& rng, Members members);
  /// `count` members, each a std::unique_ptr that make(rng) returns.
  template <class Make>
  requires std::is_invocable_v<Make&, Rng&> DiscriminatorEnsemble(Rng& rng, Index count, Make make);

  /// Throws unless each member gives one logit a sample, or a map of them, of one shape.
  Tensor<T> forward(const Tensor<T>& x) override;

  Index size() const { return static_cast<Index>(members_.size()); }
  Index scores() const override { return size(); }
  /// Throws outside [0, size()).
  Discriminator<T>& member(Index i);
  std::string kind() const override { return "DiscriminatorEnsemble"; }

 private:
  Members members_;
};

/// Any penalty (loss/penalty.hpp), taken of each member by itself and averaged:
///
///     options.penalty = gan::MemberPenalty(discriminator, gan::R1{.gamma = 1});
///
/// It keeps a reference of the ensemble. Members are handed the samples the trainer shows the ensemble.
template <std::floating_point T, class Penalty>
class MemberPenalty {
 public:
  MemberPenalty() = default;  ///< of no ensemble, for options that are filled later; throws when it is called
  MemberPenalty(DiscriminatorEnsemble<T>& ensemble, Penalty penalty)
      : ensemble_(&ensemble), penalty_(std::move(penalty)) {}

  template <class U, class D>
  Tensor<U> operator()(Rng& rng, D&&, const Tensor<U>& real, const Tensor<U>& fake, Index step) const;
  void after_step(const NamedTensors<T>& discriminator_parameters) const {
    if constexpr (requires { penalty_.after_step(discriminator_parameters); })
      penalty_.after_step(discriminator_parameters);
  }
  bool bounds_slope() const { return gan::bounds_slope(penalty_); }
  bool of_gradients() const { return gan::of_gradients(penalty_); }
  std::string describe() const { return "of each member: " + gan::describe(penalty_); }

 private:
  DiscriminatorEnsemble<T>* ensemble_ = nullptr;
  Penalty penalty_;
};

namespace detail {

/// A number in [0, count) that the bits of a row decide, all equally often: Steele and others' mixing function (2014)
/// of each value and what came before.
template <std::floating_point T>
Index picked_by_bits(const T* row, Index length, Index count) {
  std::uint64_t hash = 0;
  for (Index i = 0; i < length; ++i) {
    hash ^= std::bit_cast<typename FloatBits<T>::Word>(row[i]);
    hash += 0x9e3779b97f4a7c15u;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    hash ^= hash >> 31;
  }
  return static_cast<Index>(multiply_high(hash, static_cast<std::uint64_t>(count)));
}

template <class Network>
void check_members(const char* ensemble, const std::vector<std::unique_ptr<Network>>& members) {
  check(!members.empty(), ensemble, ": no members, expected at least 1");
  for (std::size_t i = 0; i < members.size(); ++i) check(members[i] != nullptr, ensemble, ": member ", i, " is null");
}

template <class Network, class Make>
std::vector<std::unique_ptr<Network>> make_members(Rng& rng, const char* ensemble, Index count, Make& make) {
  check(count >= 1, ensemble, ": ", count, " members, expected at least 1");
  std::vector<std::unique_ptr<Network>> members;
  for (Index i = 0; i < count; ++i) members.push_back(make(rng));
  return members;
}

template <std::floating_point T, class Network>
void adopt_members(Module<T>& ensemble, const std::vector<std::unique_ptr<Network>>& members) {
  for (std::size_t i = 0; i < members.size(); ++i) ensemble.adopt(*members[i], "member" + std::to_string(i));
}

template <class Network>
Network& member_at(const char* ensemble, const std::vector<std::unique_ptr<Network>>& members, Index i) {
  check(i >= 0 && i < std::ssize(members), ensemble, ": member ", i, ", expected [0, ", members.size(), ")");
  return *members[static_cast<std::size_t>(i)];
}

}  // namespace detail

template <std::floating_point T>
GeneratorOptions GeneratorEnsemble<T>::common_options(const Members& members) {
  detail::check_members("generator ensemble", members);
  for (std::size_t i = 1; i < members.size(); ++i)
    check(members[i]->latent() == members[0]->latent(), "generator ensemble: member ", i, " takes noise of length ",
          members[i]->latent(), " and member 0 of length ", members[0]->latent(), ", expected one length");
  return {.latent = members[0]->latent(), .distribution = members[0]->distribution()};
}

template <std::floating_point T>
GeneratorEnsemble<T>::GeneratorEnsemble(Rng& rng, Members members)
    : Generator<T>(rng, common_options(members)), members_(std::move(members)) {
  detail::adopt_members<T>(*this, members_);
}

template <std::floating_point T>
template <class Make>
requires std::is_invocable_v<Make&, Rng&> GeneratorEnsemble<T>::GeneratorEnsemble(Rng& rng, Index count, Make make)
    : GeneratorEnsemble(rng, detail::make_members<Generator<T>>(rng, "generator ensemble", count, make)) {}

template <std::floating_point T>
Generator<T>& GeneratorEnsemble<T>::member(Index i) {
  return detail::member_at("generator ensemble", members_, i);
}

template <std::floating_point T>
Tensor<T> GeneratorEnsemble<T>::forward(const Tensor<T>& z) {
  check(z.rank() == 2 && z.shape()[0] >= 1 && z.shape()[1] == this->latent(), "generator ensemble: z ", z.shape(),
        ", expected [n, ", this->latent(), "] with n > 0");
  const Index n = z.shape()[0], count = size();
  check(n >= count || !this->training(), "generator ensemble: ", n, " rows for ", count,
        " members in training mode: the last ones would learn nothing");
  std::vector<std::vector<Index>> rows(members_.size());  // of each member
  for (Index row = 0; row < n; ++row) {
    const Index i =
        this->training() ? row % count : detail::picked_by_bits(z.data() + row * this->latent(), this->latent(), count);
    rows[static_cast<std::size_t>(i)].push_back(row);
  }
  std::vector<Tensor<T>> parts;
  std::vector<Index> places(static_cast<std::size_t>(n));  // of each sample among the parts, one after the other
  Index made = 0, first = 0;
  for (Index i = 0; i < count; ++i) {
    auto& own = rows[static_cast<std::size_t>(i)];
    if (own.empty()) continue;
    if (parts.empty()) first = i;
    for (const Index row : own) places[static_cast<std::size_t>(row)] = made++;
    const Index expected = std::ssize(own);
    parts.push_back(member(i)(gather(z, std::move(own))));
    const Shape& shape = parts.back().shape();
    check(shape.rank() >= 1 && shape[0] == expected && shape.with(0, 1) == parts[0].shape().with(0, 1),
          "generator ensemble: member ", i, " gives samples ", shape, ", member ", first, " ", parts[0].shape(),
          ", expected one shape of samples");
  }
  return parts.size() == 1 ? parts[0] : gather(concatenate(parts, 0), std::move(places));
}

template <std::floating_point T>
DiscriminatorEnsemble<T>::DiscriminatorEnsemble(Rng& rng, Members members)
    : Discriminator<T>(rng), members_(std::move(members)) {
  detail::check_members("discriminator ensemble", members_);
  detail::adopt_members<T>(*this, members_);
}

template <std::floating_point T>
template <class Make>
requires std::is_invocable_v<Make&, Rng&> DiscriminatorEnsemble<T>::DiscriminatorEnsemble(Rng& rng, Index count,
                                                                                          Make make)
    : DiscriminatorEnsemble(rng, detail::make_members<Discriminator<T>>(rng, "discriminator ensemble", count, make)) {}

template <std::floating_point T>
Discriminator<T>& DiscriminatorEnsemble<T>::member(Index i) {
  return detail::member_at("discriminator ensemble", members_, i);
}

template <std::floating_point T>
Tensor<T> DiscriminatorEnsemble<T>::forward(const Tensor<T>& x) {
  std::vector<Tensor<T>> logits;
  for (const auto& each : members_) {
    logits.push_back((*each)(x));
    const Shape &shape = logits.back().shape(), &first = logits.front().shape();
    check(x.rank() >= 1 && shape.rank() >= 2 && shape[0] == x.shape()[0] && shape.last() == 1 && shape == first,
          "discriminator ensemble: ", each->name(), " gives ", shape, " for samples ", x.shape(), ", expected [n, 1]",
          shape == first ? "" : " and one shape for all members");
  }
  return logits.size() == 1 ? logits[0] : concatenate(logits, -1);
}

template <std::floating_point T, class Penalty>
template <class U, class D>
Tensor<U> MemberPenalty<T, Penalty>::operator()(Rng& rng, D&&, const Tensor<U>& real, const Tensor<U>& fake,
                                                Index step) const {
  static_assert(std::is_same_v<T, U>, "a penalty of an ensemble of another element type");
  check(ensemble_ != nullptr, "member penalty: made without an ensemble");
  Tensor<T> total;
  for (Index i = 0; i < ensemble_->size(); ++i) {
    auto& each = ensemble_->member(i);
    const auto discriminate = [&each](const Tensor<T>& x) { return each(x); };
    const Tensor<T> value = penalty_(rng, discriminate, real, fake, step);
    if (value.defined()) total = total.defined() ? total + value : value;
  }
  return total.defined() ? total * (1.0 / static_cast<double>(ensemble_->size())) : total;
}

}  // namespace gan
