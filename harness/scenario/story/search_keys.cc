#include "scenario/story/search_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "core/bytes.h"
#include "core/units.h"

namespace mailproof::scenario {
namespace {

/// What it goes by that changes without a message coming or going.
enum class GoesBy { nothing, flags, reading };

/// A key and what stands behind it: s a string, d a date, n a number, u a sequence set, k a key.
struct Key {
  std::string_view word, behind;
  GoesBy by = GoesBy::nothing;
};
constexpr Key kKeys[] = {{"ALL", ""},
                         {"ANSWERED", "", GoesBy::flags},
                         {"DELETED", "", GoesBy::flags},
                         {"DRAFT", "", GoesBy::flags},
                         {"FLAGGED", "", GoesBy::flags},
                         {"NEW", "", GoesBy::reading},
                         {"OLD", "", GoesBy::flags},
                         {"RECENT", "", GoesBy::flags},
                         {"SEEN", "", GoesBy::reading},
                         {"UNANSWERED", "", GoesBy::flags},
                         {"UNDELETED", "", GoesBy::flags},
                         {"UNDRAFT", "", GoesBy::flags},
                         {"UNFLAGGED", "", GoesBy::flags},
                         {"UNSEEN", "", GoesBy::reading},
                         {"BCC", "s"},
                         {"BODY", "s"},
                         {"CC", "s"},
                         {"FROM", "s"},
                         {"SUBJECT", "s"},
                         {"TEXT", "s"},
                         {"TO", "s"},
                         {"KEYWORD", "s", GoesBy::flags},
                         {"UNKEYWORD", "s", GoesBy::flags},
                         {"BEFORE", "d"},
                         {"ON", "d"},
                         {"SINCE", "d"},
                         {"SENTON", "d"},
                         {"SENTSINCE", "d"},
                         {"SENTBEFORE", "d"},
                         {"LARGER", "n"},
                         {"SMALLER", "n"},
                         {"UID", "u"},
                         {"HEADER", "ss"},
                         {"NOT", "k"},
                         {"OR", "kk"}};
/// RFC 3501 (CHARSET), 4731, 5032, 5182, 5464, 6203, 7162, 8474, 8514: behind one of these nothing is looked at.
constexpr std::string_view kExtensions[] = {"CHARSET", "RETURN",     "YOUNGER",           "OLDER",       "FUZZY",
                                            "MODSEQ",  "EMAILID",    "THREADID",          "SAVEDBEFORE", "SAVEDON",
                                            "$",       "SAVEDSINCE", "SAVEDATESUPPORTED", "FILTER",      "ANNOTATION"};

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  SearchKeys run() {
    do {
      key();
    } while (going() && !skip().empty());
    return out_;
  }

 private:
  bool going() const { return out_.standard && out_.expected.empty(); }
  std::string_view skip() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    return rest_;
  }
  void fail(std::string_view wrong, std::string expected) {
    if (!going()) return;
    out_.wrong = wrong.empty() ? "the end" : std::string(wrong);
    out_.expected = std::move(expected);
  }
  std::string_view atom() {
    skip();
    const auto end = std::min(rest_.find_first_of(" ()\""), rest_.size());
    const auto out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
  }
  static bool is_set(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789:,*") == std::string_view::npos &&
           (text.front() == '*' || text.front() != ',');
  }

  void key() {
    if (!going()) return;
    if (++depth_ > 50) return fail("(", "fewer search keys within each other");
    if (skip().starts_with('(')) {
      rest_.remove_prefix(1);
      do {
        key();
      } while (going() && !skip().empty() && !rest_.starts_with(')'));
      if (going() && rest_.empty()) return fail("", "a ) for each (");
      if (going()) rest_.remove_prefix(1);
    } else {
      word(atom());
    }
    --depth_;
  }

  void word(std::string_view word) {
    if (word.empty()) return fail(rest_.substr(0, 1), "a search key, like UNSEEN");
    if (is_set(word)) return;
    const auto* known =
        std::find_if(std::begin(kKeys), std::end(kKeys), [&](const Key& one) { return iequals(one.word, word); });
    if (known != std::end(kKeys)) {
      out_.flags = out_.flags || known->by != GoesBy::nothing;
      out_.seen = out_.seen || known->by == GoesBy::reading;
      for (const char what : known->behind) operand(known->word, what);
      return;
    }
    const bool extension = std::any_of(std::begin(kExtensions), std::end(kExtensions),
                                       [&](std::string_view one) { return iequals(one, word); });
    if (extension || istarts_with(word, "X-")) {
      out_.standard = false;
      out_.flags = out_.seen = true;
      return;
    }
    std::vector<std::string> words;
    for (const Key& one : kKeys) words.emplace_back(one.word);
    std::string upper(word);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    fail(word, "a search key of RFC 3501 section 6.4.4, like UNSEEN, SUBJECT report or NOT KEYWORD $Work");
    out_.hint = nearest_word(upper, words).value_or("");
  }

  void operand(std::string_view key_word, char what) {
    if (!going()) return;
    if (what == 'k') return key();
    if (what == 's' && skip().starts_with('"')) return quoted();
    const auto text = atom();
    if (what == 's') {
      if (text.empty() || text.find_first_of("%*\\{") != std::string_view::npos)
        fail(text.empty() ? rest_.substr(0, 1) : text, fmt::format("text behind {}, like \"report\"", key_word));
    } else if (what == 'u') {
      if (!is_set(text)) fail(text, fmt::format("numbers behind {}, like 1:5", key_word));
    } else if (what == 'n') {
      if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
        fail(text, fmt::format("a number of octets behind {}", key_word));
    } else {
      date(key_word, text);
    }
  }

  void date(std::string_view key_word, std::string_view text) {
    if (text.empty() && rest_.starts_with('"')) {
      const auto end = rest_.find('"', 1);
      text = rest_.substr(1, end == std::string_view::npos ? end : end - 1);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    }
    const auto dash = text.find('-');
    const bool good = dash != std::string_view::npos && dash >= 1 && dash <= 2 && text.size() == dash + 9 &&
                      text[dash + 4] == '-' &&
                      text.substr(0, dash).find_first_not_of("0123456789") == std::string_view::npos &&
                      text.substr(dash + 5).find_first_not_of("0123456789") == std::string_view::npos;
    if (!good) fail(text, fmt::format("a date behind {}, like 1-Feb-2026", key_word));
  }

  void quoted() {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        return rest_.remove_prefix(i + 1);
      }
    }
    fail(rest_, "a second quote that ends the text");
  }

  std::string_view rest_;
  SearchKeys out_;
  int depth_ = 0;
};

}  // namespace

SearchKeys read_search_keys(std::string_view query) {
  // What is not ASCII needs CHARSET, which a server may refuse.
  if (std::any_of(query.begin(), query.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    SearchKeys out;
    out.standard = false;
    out.flags = out.seen = true;
    return out;
  }
  return Reader(query).run();
}

}  // namespace mailproof::scenario
