#include "scenario/plan/slo.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/units.h"
#include "core/words.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/fields.h"

namespace mailproof::scenario {
namespace {

constexpr std::string_view kShape =
    "a line like 'imap.fetch p99 < 250ms', 'errors < 0.1%', 'imap.* errors < 1%' or 'lost = 0'";

constexpr Word<Comparison> kComparisons[] = {{"<", Comparison::less},
                                             {"<=", Comparison::at_most},
                                             {"=", Comparison::equal},
                                             {">=", Comparison::at_least},
                                             {">", Comparison::more}};

const std::vector<std::string> kCounts = {"lost",   "unexplained", "duplicated", "altered",
                                          "leaked", "refused",     "bounced",    "unserved"};
const std::vector<std::string> kMeasures = {"p50", "p90",  "p95",    "p99",  "p99.9",
                                            "max", "mean", "errors", "rate", "unserved"};

std::vector<std::string> slo_words(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = text.find_first_not_of(' ', at);
    if (from == std::string_view::npos) break;
    const std::size_t to = std::min(text.find(' ', from), text.size());
    out.emplace_back(text.substr(from, to - from));
    at = to;
  }
  return out;
}

std::optional<double> decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// "p99.9", "max", "errors", "rate".
bool read_measure(const std::string& word, Slo& slo) {
  if (word == "max") return slo.measure = Measure::max, true;
  if (word == "mean") return slo.measure = Measure::mean, true;
  if (word == "errors") return slo.measure = Measure::errors, true;
  if (word == "rate") return slo.measure = Measure::rate, true;
  if (word.size() < 2 || word.front() != 'p') return false;
  const auto percent = decimal(std::string_view(word).substr(1));
  if (!percent || *percent <= 0 || *percent > 100) return false;
  slo.percent = *percent;
  slo.measure = Measure::percentile;
  return true;
}

std::string limit_of(Measure measure) {
  switch (measure) {
    case Measure::errors:
      return "a part like 0.1%";
    case Measure::rate:
      return "a rate like 100/s";
    case Measure::count:
      return "a whole number";
    default:
      return "a time like 250ms or 5s";
  }
}

std::optional<double> read_limit(const std::string& word, Measure measure) {
  switch (measure) {
    case Measure::errors: {
      if (word.empty() || word.back() != '%') return std::nullopt;
      const auto part = decimal(std::string_view(word).substr(0, word.size() - 1));
      return part ? std::optional(*part / 100) : std::nullopt;
    }
    case Measure::rate:
      return parse_rate(word);
    case Measure::count: {
      const bool digits = std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
      return digits ? decimal(word) : std::nullopt;
    }
    default: {
      const auto time = parse_duration(word);
      return time ? std::optional(std::chrono::duration<double>(*time).count()) : std::nullopt;
    }
  }
}

}  // namespace

const std::vector<std::string>& operation_names() {
  static const std::vector<std::string> names = {"imap.connect",
                                                 "imap.login",
                                                 "imap.id",
                                                 "imap.enable",
                                                 "imap.list",
                                                 "imap.lsub",
                                                 "imap.select",
                                                 "imap.examine",
                                                 "imap.status",
                                                 "imap.fetch",
                                                 "imap.store",
                                                 "imap.search",
                                                 "imap.copy",
                                                 "imap.move",
                                                 "imap.create",
                                                 "imap.expunge",
                                                 "imap.noop",
                                                 "imap.check",
                                                 "imap.capability",
                                                 "imap.close",
                                                 "imap.unselect",
                                                 "imap.quota",
                                                 "imap.myrights",
                                                 "imap.logout",
                                                 "imap.idle-notice",
                                                 "imap.look",
                                                 "imap.round",
                                                 "imap.autologout",
                                                 "imap.connection",
                                                 "imap.tls.full",
                                                 "imap.tls.resumed",
                                                 "pop3.tls.full",
                                                 "pop3.tls.resumed",
                                                 "submission.tls.full",
                                                 "submission.tls.resumed",
                                                 "smtp.tls.full",
                                                 "lmtp.tls.full",
                                                 "pop3.connection",
                                                 "pop3.connect",
                                                 "pop3.login",
                                                 "pop3.stat",
                                                 "pop3.list",
                                                 "pop3.uidl",
                                                 "pop3.top",
                                                 "pop3.retr",
                                                 "pop3.dele",
                                                 "pop3.noop",
                                                 "pop3.last",
                                                 "imap.append",
                                                 "submission.connect",
                                                 "submission.send",
                                                 "submission.quit",
                                                 "pop3.quit",
                                                 "pop3.look",
                                                 "pop3.round",
                                                 "smtp.connect",
                                                 "smtp.deliver",
                                                 "smtp.quit",
                                                 "lmtp.connect",
                                                 "lmtp.deliver",
                                                 "lmtp.quit",
                                                 "delivery-to-visible",
                                                 "story",
                                                 "delivery-to-visible.imap",
                                                 "delivery-to-visible.pop3"};
  return names;
}

bool counts_unserved(const Slo& slo) {
  const auto known = std::find(kCounts.begin(), kCounts.end(), slo.operation);
  return slo.measure == Measure::count && (known == kCounts.end() || *known == "unserved");
}

bool is_handshake(std::string_view operation) { return operation.find(".tls.") != std::string_view::npos; }

bool is_derived(std::string_view operation) {
  return operation.ends_with(".login") || operation.ends_with(".round") || operation.ends_with(".idle-notice") ||
         operation.ends_with(".autologout") || is_handshake(operation);
}

bool names_operation(std::string_view pattern, std::string_view operation) {
  if (pattern.ends_with(".*") && is_derived(operation) && !is_derived(pattern)) return false;
  if (pattern.ends_with('*')) return operation.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == operation;
}

std::optional<Slo> read_slo(const Node& node, Complaints& complaints) {
  const auto text = read_text(node, kShape, complaints);
  if (!text) return std::nullopt;
  Slo out;
  out.text = *text;
  out.pos = node.pos;
  auto words = slo_words(*text);
  const auto wrong = [&](const std::string& word, std::string expected, const std::vector<std::string>& known = {}) {
    Pos at = node.pos;
    if (!node.quoted) at.column += static_cast<int>(std::min(text->find(word), text->size()));
    complaints.at(at, word, std::move(expected), known);
    return std::nullopt;
  };
  if (words.size() < 3 || words.size() > 4) return wrong(*text, std::string(kShape));
  if (words.size() == 3 && std::find(kCounts.begin(), kCounts.end(), words[0]) != kCounts.end()) {
    out.operation = words[0];
    out.measure = Measure::count;
  } else if (words.size() == 3) {
    if (words[0] != "errors") {
      auto known = kCounts;
      known.emplace_back("errors");
      return wrong(words[0], either(known) + ", or an operation and what of it: imap.fetch p99", known);
    }
    out.measure = Measure::errors;
  } else {
    const auto& known = operation_names();
    if (std::none_of(known.begin(), known.end(),
                     [&](const std::string& one) { return names_operation(words[0], one); }))
      return wrong(words[0], "an operation like imap.fetch, pop3.retr, lmtp.deliver or imap.*", known);
    out.operation = words[0];
    if (words[1] == "unserved")
      out.measure = Measure::count;
    else if (!read_measure(words[1], out))
      return wrong(words[1], "p50, p99, p99.9, max, mean, errors, rate or unserved", kMeasures);
    words.erase(words.begin());
  }
  const auto* comparison =
      std::find_if(std::begin(kComparisons), std::end(kComparisons), [&](const auto& w) { return w.word == words[1]; });
  if (comparison == std::end(kComparisons)) return wrong(words[1], "<, <=, =, >= or >");
  out.comparison = comparison->meaning;
  const auto limit = read_limit(words[2], out.measure);
  if (!limit) return wrong(words[2], limit_of(out.measure));
  out.limit = *limit;
  return out;
}

std::optional<Slo> slo_of(const std::string& text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = text;
  Complaints nobody_reads("");
  return read_slo(node, nobody_reads);
}

}  // namespace mailproof::scenario
