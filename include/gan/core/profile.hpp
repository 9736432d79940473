// Where the time goes: calls, seconds and arithmetic of every operation while a Profile is alive.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gan/core/error.hpp"

namespace gan {

/// Collects the self time of every operation that the creating thread runs during the Profile's life. Profiles do
/// not nest.
class Profile {
 public:
  struct Row {
    std::string name;
    long calls = 0;
    double seconds = 0;  ///< without the operations called from inside
    double flops = 0;    ///< multiplications and additions, counted by products and convolutions only
  };

  /// Throws when another Profile of this thread is alive.
  Profile() {
    check(active() == nullptr, "profile: another Profile of this thread is alive");
    active() = this;
  }
  ~Profile() { active() = nullptr; }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// One row an operation, the most expensive first.
  std::vector<Row> rows() const {
    std::vector<Row> all;
    for (const auto& [name, row] : rows_) all.push_back(row);
    std::sort(all.begin(), all.end(), [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
    return all;
  }

  /// Counts the scope it lives in as one call of operation `name`. Costs a thread-local read when nothing is profiled.
  class Scope {
   public:
    explicit Scope(const char* name, double flops = 0) : profile_(active()) {
      if (!profile_) [[likely]]
        return;
      name_ = name;
      flops_ = flops;
      parent_ = std::exchange(profile_->scope_, this);
      start_ = Clock::now();
    }
    ~Scope() {
      if (!profile_) [[likely]]
        return;
      const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
      auto& row = profile_->rows_[name_];
      row.name = name_;
      ++row.calls;
      row.seconds += seconds - inner_;
      row.flops += flops_;
      profile_->scope_ = parent_;
      if (parent_) parent_->inner_ += seconds;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    using Clock = std::chrono::steady_clock;
    Profile* profile_;
    Scope* parent_ = nullptr;
    const char* name_ = nullptr;
    double flops_ = 0, inner_ = 0;
    Clock::time_point start_{};
  };

 private:
  static Profile*& active() {
    thread_local Profile* profile = nullptr;
    return profile;
  }

  std::map<std::string, Row> rows_;
  Scope* scope_ = nullptr;
};

}  // namespace gan
