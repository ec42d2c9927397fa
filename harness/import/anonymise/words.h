#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

namespace mailproof::imports {

/// Puts another word in the place of each that may say something of somebody: as long, in the same case, and always the
/// same for the same word, so that what was equal stays equal and what was not stays so. What stays is the vocabulary
/// of the protocols and of our own histories, and short numbers; everything else goes, whatever language it is.
class Pseudonyms {
 public:
  /// `key` decides what becomes of each word; who does not know it cannot try words out.
  explicit Pseudonyms(std::uint64_t key) : key_(key) {}

  /// A number that the history is made of (a UID, a size): it stays.
  void keep_number(std::uint64_t number) { numbers_.insert(number); }
  /// A word that is ours: the name of a scenario, say.
  void keep_word(std::string_view word);
  /// The name of an account or of a mailbox: it goes, also where it is a short number or a word of the vocabulary, but
  /// for what every mailbox and every flag is called. A name that is a number stays where only the protocol has one.
  void name(std::string_view text);

  /// In protocol lines and in what was made of them.
  std::string text(std::string_view original) { return replaced(original, false); }
  /// Of mail itself: there numbers go as well, however short.
  std::string mail(std::string_view original) { return replaced(original, true); }
  /// A hash of what somebody wrote.
  std::uint64_t hash(std::uint64_t original) const;

  /// Words that were replaced, as they were, in lower case: none of 4 letters and more may be left anywhere. Without
  /// the numbers of mail that are others' as well: the short ones, and those of the history.
  std::set<std::string> replaced_words() const;
  /// Names of accounts and mailboxes that were replaced, as they were, in lower case: none of any length may be left.
  std::set<std::string> replaced_names() const;
  /// Addresses of machines, dotted or with colons: none may be left.
  std::set<std::string> replaced_addresses() const;

 private:
  std::string replaced(std::string_view original, bool digits);
  std::string word(std::string_view original, bool digits, bool always, bool of_protocol);
  std::string address(std::string_view original);
  bool stays(std::string_view lower_word, bool digits, bool of_protocol) const;

  std::uint64_t key_;
  std::unordered_set<std::uint64_t> numbers_;
  std::unordered_set<std::string> ours_, names_;
  std::map<std::string, std::string> words_;  ///< both in lower case
  std::unordered_set<std::string> taken_;     ///< pseudonyms
  std::map<std::string, std::string> addresses_;
};

/// The word at the beginning of a text, as it was before a log wrote octets beyond ASCII as \xd0, and how long it is as
/// written; "" = it begins with none.
struct Word {
  std::string octets;
  std::size_t written = 0;
};
Word take_word(std::string_view text);

/// Whether these octets of a text are a number that can be no name where it stands: the year of a date, the size of a
/// literal, a UID, the number of a message at the beginning of a reply.
bool is_number_of_protocol(std::string_view text, std::size_t begin, std::size_t size);

/// Whether a word, in lower case, belongs to the protocols, to the form of mail, or to our own histories.
bool is_vocabulary(std::string_view lower_word);

}  // namespace mailproof::imports
