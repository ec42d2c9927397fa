#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/bytes.h"
#include "core/hash.h"
#include "play/talk/talk.h"
#include "scenario/check/talk.h"

namespace mailproof::play {
namespace {

using Op = scenario::TalkLine::Op;

constexpr Duration kBetweenSegments = std::chrono::milliseconds(20);
constexpr std::string_view kWrongPassword = "this-is-not-the-password";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// \r \n \t \0 \xHH; a backslash before anything else makes it stand for itself.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
    }
  }
  return out;
}

/// At bare bars.
std::vector<std::string> split_at_bars(std::string_view text) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      out.back() += text.substr(i++, 2);
    } else if (text[i] == '|') {
      out.emplace_back();
    } else {
      out.back() += text[i];
    }
  }
  return out;
}

/// A tag that the talk itself gives: letters, then digits. "]" may be among the letters: it is in no command.
bool is_tag(std::string_view word) {
  const auto digits = word.find_first_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ']'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(digits), letter) &&
         std::all_of(word.begin() + static_cast<std::ptrdiff_t>(digits), word.end(), digit);
}

/// An address whose local part has letters of both cases (RFC 5321 section 2.4).
std::string mixed(std::string address) {
  for (std::size_t i = 0; i < address.size() && address[i] != '@'; i += 2)
    if (address[i] >= 'a' && address[i] <= 'z') address[i] = static_cast<char>(address[i] - 'a' + 'A');
  return address;
}

/// What `name` makes of an address, or of its domain alone.
std::string written_as(std::string_view name, const std::string& address, const std::string& nobody) {
  const auto at = std::min(address.rfind('@'), address.size());
  const std::string domain = address.substr(at);
  if (name == "nobody") return nobody + domain;
  if (name == "nobody-mixed") return mixed(nobody + domain);
  if (name == "nobody-empty") return "\"\"" + domain;
  if (name == "quoted-address") return '"' + as_quoted_text(address.substr(0, at)) + '"' + domain;
  if (name == "capitals") return address.substr(0, at) + upper(domain);  // RFC 5321 section 2.4
  return mixed(address);
}

std::size_t octets(const std::vector<TalkConnection::Piece>& pieces) {
  std::size_t out = 0;
  for (const auto& piece : pieces) out += piece.text.size();
  return out;
}

}  // namespace

std::optional<std::string> Talk::message(std::string_view name) const {
  const auto dot = name.rfind('.');
  int number = 0;
  const auto digits = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  if (digits == "last") {
    number = -1;
  } else if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc()) {
    return std::nullopt;
  }
  scenario::MessageRef ref;
  ref.set = name.substr(0, dot);
  ref.first = ref.last = number;
  ref.newest = number < 0;
  const auto numbers = context_.messages.numbers(ref);
  return numbers.empty() ? std::nullopt : std::optional(*context_.messages.again(numbers.front()));
}

/// What a line may await as it may send it: the addresses of the accounts, by their numbers.
void Talk::give_addresses() {
  const auto& accounts = context_.accounts;
  for (std::size_t i = 0; i < accounts.size(); ++i)
    variables_.values[fmt::format("address{}", i + 1)] = accounts[i].address;
  variables_.values["mixed"] = mixed(accounts.front().address);
  for (const char* name : {"capitals", "nobody-mixed"})
    variables_.values[name] = written_as(name, accounts.front().address, nobodys_name());
}

/// The local part of an address that no account has.
std::string Talk::nobodys_name() const { return "mailproof-nobody-" + context_.messages.playing(); }

/// The reading found a line that binds it, but the server chose another alternative: neither its fault nor its merit.
void Talk::unbound(const std::string& name) {
  context_.fail("talk", fmt::format("the check needs ${{{}}}, and the line that binds it did not come", name));
}

void Talk::fill_variable(Line& at, const TalkVariable& variable, bool raw, Pieces& out) {
  const std::string& name = variable.name;
  const auto account = [&](std::string_view word) -> const scenario::PoolAccount* {
    if (!std::string_view(name).starts_with(word)) return nullptr;
    const auto rest = std::string_view(name).substr(word.size());
    std::size_t number = at.how.account + 1;
    if (!rest.empty()) {
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
      if (error != std::errc() || end != rest.data() + rest.size()) return nullptr;
    }
    return number >= 1 && number <= context_.accounts.size() ? &context_.accounts[number - 1] : nullptr;
  };
  const auto times = [&] {
    std::size_t n = 0;
    std::from_chars(variable.type.data(), variable.type.data() + variable.type.size(), n);
    return std::min<std::size_t>(n, 1U << 24);
  };
  // ${apop:1}: what belongs to connection 1.
  const bool of_another = (name == "apop" || name == "timestamp") && lines_.contains(static_cast<int>(times()));
  const std::string& greeting = (of_another ? lines_.at(static_cast<int>(times())) : at).connection->greeting();
  const auto timestamp = [&] {
    const auto open = greeting.find('<');
    const auto close = open == std::string::npos ? open : greeting.find('>', open);
    return close == std::string::npos ? std::string() : greeting.substr(open, close - open + 1);
  };
  if (name == "fill") {
    // ${fill:1000:ab }: that, so many times.
    const auto colon = variable.type.find(':');
    const std::string written = colon == std::string::npos ? "A" : variable.type.substr(colon + 1);
    const std::string unit = raw ? unescaped(written) : written;
    std::string all;
    const std::size_t most = times();
    all.reserve(std::min<std::size_t>(most * unit.size(), 1U << 24));
    for (std::size_t i = 0; i < most && all.size() < 1U << 24; ++i) all += unit;
    out.push_back({std::move(all), false});
  } else if (name == "head") {
    const auto made = new_mail(at, {.set = "mail"});
    out.push_back({made.text->substr(0, made.text->find("\r\n\r\n") + 4), false});
  } else if (name == "envid") {
    std::string id = context_.messages.envelope_id(context_.messages.next());
    variables_.values[name] = id;  // for an S line behind it
    if (variable.type == "xtext") id.replace(id.find('.'), 1, "+2E");
    out.push_back({id, false});
  } else if (name == "nobody" || name == "nobody-mixed" || name == "nobody-empty" || name == "mixed" ||
             name == "quoted-address" || name == "capitals") {
    out.push_back({written_as(name, context_.accounts.at(at.how.account).address, nobodys_name()), false});
  } else if (name == "wrong") {
    out.push_back({std::string(kWrongPassword), false});
  } else if (name == "apop") {
    out.push_back({md5_hex(timestamp() + context_.accounts.at(at.how.account).password.reveal()), true});
  } else if (name == "timestamp") {
    out.push_back({timestamp(), false});
  } else if (name == "b64") {
    std::string plain;
    bool secret = false;
    for (const auto& piece : fill_in(at, variable.type, true)) {
      plain += piece.text;
      secret = secret || piece.secret;
    }
    out.push_back({base64(plain), secret});
  } else if (name == "quoted") {
    out.push_back({"\"", false});
    for (auto& piece : fill_in(at, variable.type, true)) out.push_back({as_quoted_text(piece.text), piece.secret});
    out.push_back({"\"", false});
  } else if (const auto known = variables_.values.find(name); known != variables_.values.end()) {
    out.push_back({known->second, false});
  } else if (const auto* user = account("user")) {
    out.push_back({user->login, false});
  } else if (const auto* pass = account("pass")) {
    out.push_back({std::string(pass->password.reveal()), true});
  } else if (const auto* address = account("address")) {
    out.push_back({address->address, false});
  } else {
    unbound(name);
  }
}

/// The name of a mailbox as a C line takes it; `quoted`: it stands between two quotes there. Raw bytes are the name.
std::optional<std::string> Talk::own_mailbox(const std::string& name, bool raw, bool quoted) const {
  const auto known = own_.find(name);
  if (known == own_.end()) return std::nullopt;
  return raw ? known->second : quoted ? as_quoted_text(known->second) : as_astring(known->second);
}

Talk::Pieces Talk::fill_in(Line& at, std::string_view text, bool raw) {
  Pieces out;
  std::size_t pad = 0, pad_at = 0;
  bool quoted = false;
  for (const TalkPart& part : cut_pattern(text)) {
    if (!part.variable) {
      out.push_back({raw ? unescaped(part.literal) : part.literal, false});
      for (std::size_t i = 0; i < part.literal.size(); ++i) {
        if (part.literal[i] == '"') quoted = !quoted;
        if (part.literal[i] == '\\') ++i;
      }
    } else if (const auto mailbox = own_mailbox(part.variable->name, raw, quoted)) {
      out.push_back({*mailbox, false});
    } else if (part.variable->name == "pad") {
      std::from_chars(part.variable->type.data(), part.variable->type.data() + part.variable->type.size(), pad);
      pad_at = out.size();
      out.push_back({});
    } else {
      fill_variable(at, *part.variable, raw, out);
    }
  }
  if (pad != 0) {
    const std::size_t have = octets(out) + (raw ? 0 : 2);
    if (pad > have) out[pad_at].text.assign(pad - have, 'A');
  }
  return out;
}

/// One write a segment.
std::vector<Talk::Segment> Talk::segments(Line& at, const scenario::TalkLine& line) {
  std::vector<Segment> out;
  if (scenario::is_mail(at.how.protocol)) {
    note_recipients(at, line.text);
    if (line.op == Op::send) return mail_segments(at, line);
  }
  if (line.op == Op::send_raw) {
    for (const auto& part : split_at_bars(line.text)) out.push_back({fill_in(at, part, true)});
    return out;
  }
  if (at.how.protocol == Protocol::imap) return imap_segments(at, line.text);
  out.push_back({fill_in(at, line.text, false)});
  out.back().pieces.push_back({"\r\n", false, line.asks_block});
  return out;
}

/// With its tag, unless it answers a "+"; messages and ${literal:...} as literals, each after the server's "+".
std::vector<Talk::Segment> Talk::imap_segments(Line& at, std::string text) {
  std::vector<Segment> out(1);
  const auto put = [&](std::string_view part) {
    for (auto& piece : fill_in(at, part, false)) out.back().pieces.push_back(std::move(piece));
  };
  const auto words = pattern_words(text);
  const bool tagged = !words.empty() && is_tag(words.front());
  const bool answers = std::exchange(at.continued, false) || (!at.tags.empty() && iequals(text, "DONE"));
  if (tagged) {
    at.tags.push_back(words.front());
  } else if (!answers) {
    at.tags.push_back(fmt::format("t{}", ++at.made_tags));
    text = fmt::format("{} {}", at.tags.back(), text);
  }
  const std::string_view all = text;
  constexpr std::string_view kLiteral = "{literal:";
  std::size_t from = 0;
  for (std::size_t open = all.find('{'); open != std::string_view::npos; open = all.find('{', open)) {
    const bool variable = open > 0 && all[open - 1] == '$';
    const std::size_t close = variable ? closing_brace(all, open) : all.find('}', open);
    if (close == std::string_view::npos) break;
    std::optional<Pieces> body;
    if (variable && all.substr(open).starts_with(kLiteral)) {
      body = fill_in(at, all.substr(open + kLiteral.size(), close - open - kLiteral.size()), true);
    } else if (const auto mail = variable ? std::nullopt : message(all.substr(open + 1, close - open - 1))) {
      body = Pieces{{*mail, false}};
    }
    if (body) {
      put(all.substr(from, open - from - (variable ? 1 : 0)));
      out.back().pieces.push_back({fmt::format("{{{}}}\r\n", octets(*body)), false});
      out.push_back({std::move(*body), Segment::After::plus, at.tags.empty() ? "" : at.tags.back()});
      from = close + 1;
    }
    open = close + 1;
  }
  put(all.substr(from));
  out.back().pieces.push_back({"\r\n", false});
  return out;
}

/// Whether the next segment may go out now. `ended`: the server wants no literal, it answered the command instead.
Talk::Came Talk::may_go_on(Line& at) {
  const Segment& segment = to_send_.front();
  if (segment.after == Segment::After::nothing) return Came::on;
  const Time now = context_.network.now();
  if (segment.after == Segment::After::pause) {
    if (now >= since_ + kBetweenSegments) return Came::on;
    look_at_ = since_ + kBetweenSegments;
    return Came::blocked;
  }
  // Other commands of the same write may be answered before it.
  auto& replies = at.connection->replies;
  for (auto reply = replies.begin(); reply != replies.end(); ++reply) {
    if (reply->line.starts_with(segment.tag + " ")) return Came::ended;
    if (!is_continuation(reply->line)) continue;
    replies.erase(reply);
    return Came::on;
  }
  return at.connection->over() || !waits() ? Came::ended : Came::blocked;
}

/// Behind what is to be sent already, in the same write where no "+" stands between.
void Talk::put(std::vector<Segment> more) {
  if (!to_send_.empty()) {
    Segment& first = more.front();
    if (to_send_.back().after == Segment::After::plus) {
      first.after = Segment::After::nothing;
    } else {
      for (auto& piece : first.pieces) to_send_.back().pieces.push_back(std::move(piece));
      more.erase(more.begin());
    }
  }
  for (auto& segment : more) to_send_.push_back(std::move(segment));
}

std::string Talk::bytes_to_send() const {
  std::size_t all = 0;
  for (const Segment& segment : to_send_) all += octets(segment.pieces);
  std::string out;
  out.reserve(all);
  for (const Segment& segment : to_send_)
    for (const auto& piece : segment.pieces) out += piece.text;
  return out;
}

/// A server that wants TLS first is asked in clear text whether it does: with the account's own password only where
/// nobody hears it (RFC 3501 section 6.2.3), or all of the site's clients say theirs so.
bool Talk::says_secret_aloud(const Line& at) const {
  const auto& tls = at.connection->tls();
  if (!context_.options.overheard || at.endpoint->tls == TlsMode::none || (tls && tls->established)) return false;
  return std::any_of(to_send_.begin(), to_send_.end(), [](const Segment& segment) {
    return std::any_of(segment.pieces.begin(), segment.pieces.end(), [](const auto& piece) { return piece.secret; });
  });
}

/// All C lines of a connection that follow each other go out as one write.
Talk::Came Talk::send(Line& at) {
  if (lines_sent_ == 0) {
    to_send_.clear();
    const int connection = check_.talk[next_].connection;
    std::size_t i = next_;
    for (; i < check_.talk.size() && check_.talk[i].connection == connection &&
           (check_.talk[i].op == Op::send || check_.talk[i].op == Op::send_raw);
         ++i)
      for (int n = 0; n < check_.talk[i].count; ++n) put(segments(at, check_.talk[i]));
    if (!context_.problem.empty()) return Came::ended;
    lines_sent_ = i - next_;
    sending_ = false;
  }
  if (!sending_) {
    if (says_secret_aloud(at)) {
      not_applicable("it says the password in clear text, which others on the way would hear");
      return Came::ended;
    }
    if (const Came came = keeps_flags(at); came != Came::on) return came;
    if (const Came came = takes_ours(at); came != Came::on) return came;
    if (const Came came = only_ours(at, bytes_to_send()); came != Came::on) return came;
    sending_ = true;
    at.said = context_.network.now();
    since_ = at.said - kBetweenSegments;
    for (std::size_t sent = next_; sent < next_ + lines_sent_; ++sent) done(at, check_.talk[sent]);
  }
  while (!to_send_.empty()) {
    const Came may = may_go_on(at);
    if (may == Came::blocked) return may;
    if (may == Came::ended) {
      const std::string tag = to_send_.front().tag;
      std::erase_if(to_send_, [&](const Segment& one) { return one.after == Segment::After::plus && one.tag == tag; });
      continue;
    }
    at.connection->send(to_send_.front().pieces);
    to_send_.erase(to_send_.begin());
    since_ = context_.network.now();
  }
  to_send_.clear();
  next_ += lines_sent_ - 1;
  lines_sent_ = 0;
  next();
  return Came::on;
}

}  // namespace mailproof::play
