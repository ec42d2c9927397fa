#pragma once
#include <map>
#include <string>
#include <vector>

#include "history/history.h"
#include "mail/stamp.h"
#include "play/own_messages.h"
#include "scenario/scenario.h"

namespace mailproof::play {

/// The messages of one playing: makes them, names them, knows them again. Bodies are not kept; they are made again from
/// the token.
class Messages final : public OwnMessages {
 public:
  Messages(history::History& history, std::uint64_t seed, std::uint64_t run_id, std::string date)
      : history_(history), seed_(seed), run_id_(run_id), date_(std::move(date)) {}

  struct Made {
    std::uint32_t number = 0;
    std::shared_ptr<const std::string> text;
  };
  /// The next message of the set that a step or a check makes. `sender` is an account number (0 = none), the addresses
  /// go into header and token.
  Made make(const scenario::NewMessages& what, std::uint32_t sender, const std::string& from, const std::string& owner);
  /// The same bytes again, for a retry.
  std::shared_ptr<const std::string> again(std::uint32_t number) const;

  /// Numbers that a reference means now, in order; a set that holds nothing yet is empty.
  std::vector<std::uint32_t> numbers(const scenario::MessageRef& ref) const;
  void define(const std::string& set, std::vector<std::uint32_t> numbers) { sets_[set] = std::move(numbers); }

  /// Number of the message with this token; 0 if another run made it.
  std::uint32_t number_of(const mail::Token& token) const;
  /// ... and it is the very token that was made for that message.
  std::uint32_t exactly(const mail::Token& token) const override;
  bool of_this_playing(const mail::Token& token) const override { return token.run == run_id_; }
  /// Whether this Message-ID, in its angle brackets, is of a message of this playing.
  bool made(std::string_view message_id) const override;
  /// What no mail but that of this playing has in it: its number, as Message-IDs and tokens write it.
  std::string playing() const;
  std::string no_playing() const;  ///< a number as those, which stands in no mail

  /// What MAIL says of it as ENVID (RFC 3461 section 4.4): a report that returns nothing of a message (RFC 6522 section
  /// 3) tells by it what it is about.
  std::string envelope_id(std::uint32_t number) const;
  std::uint32_t next() const { return static_cast<std::uint32_t>(specs_.size() + 1); }  ///< the message that comes next
  std::uint32_t of_envelope(std::string_view id) const;                                 ///< 0: it is none of ours

 private:
  history::History& history_;
  std::uint64_t seed_, run_id_;
  std::string date_;
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> sets_;
  std::vector<mail::MessageSpec> specs_;  ///< by number - 1
};

}  // namespace mailproof::play
