#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stats/histogram.h"

namespace mailproof::stats {

/// One kind of operation ("imap.fetch", "delivery"). What each number counts, and what it is a part of:
///
///     intended ⊇ started ⊇ ok + fail + info
///
/// intended - started is what was due and never began (unserved); started - (ok + fail + info) is still under way.
struct Operation {
  std::uint64_t intended = 0;  ///< arrivals whose time came
  std::uint64_t started = 0;   ///< part of intended: really begun
  std::uint64_t ok = 0;        ///< part of started: it happened
  std::uint64_t fail = 0;      ///< part of started: it certainly did not
  std::uint64_t info = 0;      ///< part of started: nobody knows (timeout, connection lost before the answer)

  Histogram response;  ///< ok, and what was never served: from the intended start to the answer; what a user felt
  Histogram service;   ///< ok only: from the real start to the answer; what the server took
  Histogram lateness;  ///< every started one: from the intended to the real start; our own delay and the queueing

  /// fail + info, by class of error ("timeout", "no [OVERQUOTA]"); their sum is fail + info.
  std::map<std::string, std::uint64_t, std::less<>> errors;

  std::uint64_t unserved() const { return intended - started; }
  std::uint64_t under_way() const { return started - ok - fail - info; }

  void due() { ++intended; }
  void begin(Time intended_start, Time start);
  void succeed(Time intended_start, Time start, Time end);
  void fail_as(std::string_view error_class);
  void unknown_as(std::string_view error_class);
  /// So often it was due and never began; whoever wanted it gave up after having waited so long.
  void never(Duration waited, std::uint64_t times) { response.add(waited, times); }
  void merge(const Operation& other);

  friend bool operator==(const Operation&, const Operation&) = default;

 private:
  void count_error(std::string_view error_class);
};

/// The operations of one thread, by name. Look the id up once; at() costs nothing. Merges by name, so that threads may
/// have met the operations in any order.
class Operations {
 public:
  using Id = std::size_t;
  Id id(std::string_view name);  ///< the same name, the same id; a new name is added
  Operation& at(Id id) { return all_[id]; }
  const Operation& at(Id id) const { return all_[id]; }
  const Operation* find(std::string_view name) const;  ///< null when nobody asked for this name
  void merge(const Operations& other);

  /// f(name, operation) in order of name.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [name, id] : names_) f(std::string_view(name), all_[id]);
  }

 private:
  std::map<std::string, Id, std::less<>> names_;
  std::vector<Operation> all_;
};

}  // namespace mailproof::stats
