#pragma once
#include <memory>

#include "play/context.h"

namespace mailproof::play {

/// One device of a scenario: plays the steps it is given, one at a time, and keeps its sessions and what it knows
/// between them.
class Actor {
 public:
  virtual ~Actor() = default;
  virtual void prepare(Finish done) = 0;  ///< before the first step: a device that idles connects and idles
  virtual void perform(const scenario::Step& step, Finish done) = 0;
  virtual void leave(Finish done) = 0;  ///< after the last step: log out; a POP3 session without QUIT just ends
};

/// What a step expects to come of itself.
struct Expectation {
  std::string_view text = {};  ///< of the step
  std::vector<std::uint32_t> messages = {};
  std::string mailbox = {};
  std::vector<std::string> flags = {};
  std::uint32_t session = 0;
  Duration bound = {};
};
/// Appends the `expect` event of a step; the index to which the outcome refers.
std::uint32_t expect(Context& context, history::What what, const Expectation& expected);
/// Appends how an expectation came out. `missing` = the messages that were not as expected.
void outcome(Context& context, history::What what, std::uint32_t expectation, history::Type how,
             const std::vector<std::uint32_t>& missing, std::string text, std::uint32_t session, std::string code = {});

std::unique_ptr<Actor> make_imap_device(Context& context, const scenario::Scenario& scenario, std::uint32_t device);
std::unique_ptr<Actor> make_pop3_device(Context& context, const scenario::Scenario& scenario, std::uint32_t device);
std::unique_ptr<Actor> make_deliverer(Context& context, const scenario::Scenario& scenario, std::uint32_t device);

}  // namespace mailproof::play
