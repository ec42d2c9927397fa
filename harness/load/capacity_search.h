#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace mailproof::load {

/// What a load of one height came to.
enum class Came : std::uint8_t {
  met,      ///< all that was promised held
  missed,   ///< a promise was broken: the server carries less
  limited,  ///< this machine, the pool or a limit on the way gave up first: nothing is known of the server
};

/// One load that the search wants to see.
struct Step {
  std::uint32_t accounts = 0;
  unsigned percent = 0;  ///< of the answer that it confirms: 80, 100 or 120; 0 = it looks for the answer
  bool again = false;    ///< it did not hold a moment ago
};

/// The highest load that still keeps its promises: climbs in factors of two, brackets, bisects, and plays 80, 100 and
/// 120 % of the answer, as SPECmail2001 wants it (80 and 100 % must hold; 120 % shows what is beyond). A load that does
/// not hold is played once more before that is believed: machines have bad moments. Where the answer is confirmed it
/// must then hold twice, two times of three: whoever forgives misses and never doubts what held confirms luck. A pure
/// machine: next(), then tell() what that came to.
class CapacitySearch {
 public:
  struct Options {
    std::uint32_t start = 1, most = 1;  ///< accounts: where it begins, and more there are not
    double precision = 0.05;            ///< the bracket is so narrow in the end, as a part of the answer
    unsigned max_steps = 20;            ///< all together; the last three of them are kept for confirming
    bool twice = true;                  ///< what does not hold is played again; not where it would come to the same
  };
  explicit CapacitySearch(Options options) : options_(options) {}

  /// Nothing: it is over. The same until tell().
  std::optional<Step> next() const;
  /// `certain`: to play it again would tell nothing more.
  void tell(Came came, bool certain = false);

  /// Accounts: the highest load that held, below all that did not. 0 = none is known.
  std::uint32_t answer() const;
  /// The lowest load that did not hold, and why; nothing: all that were tried did.
  struct Above {
    std::uint32_t accounts = 0;
    Came came = Came::missed;
  };
  std::optional<Above> above() const;
  /// 80 and 100 % of the answer held when they were played again.
  bool confirmed() const;
  /// The answer is as narrow as was asked for, or all there is was carried.
  bool narrow() const;
  /// More held than something that did not: the server or this machine is unsteady.
  bool unsteady() const;
  /// Loads that did not hold once, and did when they were played again at once.
  const std::vector<std::uint32_t>& chance() const { return chance_; }
  unsigned steps() const { return steps_; }

 private:
  std::optional<Step> to_confirm() const;
  std::uint32_t part_of_answer(unsigned percent) const;

  Options options_;
  unsigned steps_ = 0;
  std::map<std::uint32_t, Came> last_;          ///< by accounts: what came of it the last time
  std::map<unsigned, std::uint32_t> confirms_;  ///< by percent: the answer that it was played for
  std::optional<Step> doubted_;                 ///< did not hold, and is to be played again
  bool once_held_ = false;                      ///< ... and has held once since
  std::vector<std::uint32_t> chance_;
};

}  // namespace mailproof::load
