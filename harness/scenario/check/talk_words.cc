// What stands behind connect: and deliver: in a talk, and in the keys state:, tls: and mailbox: of a check.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/units.h"
#include "scenario/check/talk.h"
#include "scenario/story/words.h"

namespace mailproof::scenario {
namespace {

constexpr Word<Standing> kStandings[] = {{"greeting", Standing::greeting},
                                         {"authorization", Standing::authorization},
                                         {"not-authenticated", Standing::authorization},
                                         {"connected", Standing::authorization},
                                         {"hello", Standing::hello},
                                         {"transaction", Standing::authenticated},
                                         {"authenticated", Standing::authenticated},
                                         {"selected", Standing::selected}};
constexpr Word<Protocol> kProtocols[] = {
    {"imap", Protocol::imap}, {"pop3", Protocol::pop3}, {"smtp", Protocol::smtp}, {"lmtp", Protocol::lmtp}};
constexpr Word<TalkTls> kTalkTls[] = {{"none", TalkTls::none},
                                      {"clear", TalkTls::clear},
                                      {"starttls", TalkTls::starttls},
                                      {"implicit", TalkTls::implicit}};

template <class E, std::size_t N>
bool take_word(const Word<E> (&table)[N], std::string_view word, E& into) {
  for (const auto& entry : table)
    if (entry.word == word) {
      into = entry.meaning;
      return true;
    }
  return false;
}

}  // namespace

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    if (end > at) out.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::optional<int> number_in(std::string_view text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

void read_connect(std::string_view text, Pos pos, std::size_t accounts, Complaints& complaints, TalkConnect& into) {
  const auto all = words_in(text);
  bool standing = false;
  for (const auto& word : all) {
    if (take_word(kProtocols, word, into.protocol)) {
      if (!standing) into.standing = usual_standing(into.protocol);
      continue;
    }
    if (take_word(kStandings, word, into.standing)) {
      standing = true;
      continue;
    }
    if (word.starts_with("tls=") && take_word(kTalkTls, std::string_view(word).substr(4), into.tls)) continue;
    if (word == "tls-max=1.0" || word == "tls-max=1.1") {
      into.tls_max = word.substr(8);
      continue;
    }
    if (word.starts_with("user")) {
      const auto n = word.size() == 4 ? std::optional(1)
                                      : number_in(std::string_view(word).substr(4), 1, static_cast<int>(accounts));
      if (n) {
        into.account = static_cast<std::size_t>(*n - 1);
        continue;
      }
    }
    complaints.at(
        pos, word,
        "imap, pop3, smtp or lmtp; greeting, authorization, transaction, not-authenticated, authenticated, selected, "
        "connected or hello; tls=none, tls=clear, tls=starttls or tls=implicit; tls-max=1.1; user2 where the check has "
        "accounts: 2");
  }
  const bool pop = into.protocol == Protocol::pop3, mail = is_mail(into.protocol);
  if (pop && (into.standing == Standing::selected || into.standing == Standing::hello))
    complaints.at(pos, text, "a state of POP3: greeting, authorization or transaction");
  if (into.protocol == Protocol::imap && into.standing == Standing::hello)
    complaints.at(pos, text, "a state of IMAP: greeting, not-authenticated, authenticated or selected");
  if (mail && into.standing == Standing::selected)
    complaints.at(pos, text, "a state of SMTP and LMTP: greeting, connected, hello or authenticated");
}

Standing usual_standing(Protocol protocol) {
  return protocol == Protocol::imap   ? Standing::selected
         : protocol == Protocol::pop3 ? Standing::authenticated
                                      : Standing::hello;
}

std::optional<NewMessages> read_new_mail(std::string_view text) {
  if (!text.starts_with("{mail") || !text.ends_with('}')) return std::nullopt;
  NewMessages out;
  out.set = "mail";
  for (const auto& word : words_in(text.substr(5, text.size() - 6))) {
    if (read_fill_kind(word, out)) continue;
    const auto size = parse_size(word);
    if (!size) return std::nullopt;
    out.size = size.value();
  }
  return text[5] == ' ' || text[5] == '}' ? std::optional(out) : std::nullopt;
}

bool read_fill_kind(std::string_view word, NewMessages& fill) {
  if (take_word(kMessageKinds, word, fill.kind)) return true;
  const auto dash = word.rfind('-');
  if (dash == std::string_view::npos || !take_word(kMessageKinds, word.substr(0, dash), fill.kind)) return false;
  const bool sized = fill.kind == MessageKind::edge || fill.kind == MessageKind::line || fill.kind == MessageKind::dots;
  const auto n = number_in(word.substr(dash + 1), 1, 64 << 20);
  if (!sized || !n) return false;
  fill.size = static_cast<std::uint64_t>(*n);
  return true;
}

std::optional<Step> read_fill(std::string_view text, Pos pos, Complaints& complaints) {
  Step step(Verb::deliver);
  step.pos = pos;
  step.device = 0;
  auto& fill = step.get<Deliver>();
  fill.set = "mail";
  fill.to = {0};
  fill.expect = Outcome::accepted;
  for (const auto& word : words_in(text)) {
    if (const auto n = number_in(word, 1, 5000)) {
      fill.count = *n;
    } else if (read_fill_kind(word, fill)) {
    } else if (const auto size = parse_size(word)) {
      fill.size = size.value();
    } else {
      complaints.at(pos, word,
                    fmt::format("how many, what kind, how large: 3 dot-lines 8KiB; kinds are {}",
                                either(words_of(kMessageKinds))));
      return std::nullopt;
    }
  }
  return step;
}

}  // namespace mailproof::scenario
