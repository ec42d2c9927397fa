#include "history/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/names.h"

namespace mailproof::history {
namespace {

constexpr std::string_view kNobody = "nobody";
constexpr std::string_view kEmpty = "size 0";
constexpr std::string_view kKeys[] = {"by=", "over=", "copy_on="};

/// What each kind of facts comes to; the fields of the event itself are there already.
struct Put {
  Columns& to;
  void operator()(const std::monostate&) const {}
  void operator()(const SelectFacts& f) const {
    to.seq = f.exists;
    to.uid = f.uidnext;
    to.modseq = f.highestmodseq;
  }
  void operator()(const ExistsFacts& f) const {
    to.seq = f.now;
    to.size = f.before;
  }
  void operator()(const RowFacts& f) const {
    to.modseq = f.modseq;
    if (f.empty) to.other_set = kEmpty;
  }
  void operator()(const PieceFacts& f) const { to.modseq = std::uint64_t{f.from} << 32U | f.asked; }
  void operator()(const QuotaFacts& f) const {
    to.size = f.used;
    to.modseq = f.limit;
  }
  void operator()(const TopFacts& f) const {
    to.uid = f.lines_asked;
    to.modseq = f.body_lines;
  }
  void operator()(const CountFacts& f) const { to.seq = f.messages; }
  void operator()(const ReplyFacts& f) const { to.seq = f.code; }
  void operator()(const BoundFacts& f) const { to.size = static_cast<std::uint64_t>(f.bound.count()); }
  void operator()(const LimitFacts& f) const { to.size = f.octets; }
  void operator()(const CopyFacts& f) const { to.other_set = f.destinations; }
  void operator()(const OutcomeFacts& f) const { to.other_set = f.may_differ; }
  void operator()(const FateFacts&) const {}
  void operator()(const AgreeFacts&) const {}
  void operator()(const AuditFacts& f) const { to.seq = f.round; }
  void operator()(const TalkFacts& f) const { to.seq = f.line; }
  void operator()(const RuleFacts& f) const {
    to.seq = f.connections;
    to.other_set = f.wants;
  }
};

std::string_view device_name(std::uint32_t device, const HistoryInfo& info) {
  return device == 0 || device > info.devices.size() ? std::string_view("?") : info.devices[device - 1].name;
}

std::uint32_t device_number(std::string_view name, const HistoryInfo& info) {
  for (std::size_t i = 0; i < info.devices.size(); ++i)
    if (info.devices[i].name == name) return static_cast<std::uint32_t>(i + 1);
  return FateFacts::kUnknown;
}

/// "by=pc over=pop3": the value of "by=", up to the next key; "" = it is not there.
std::string_view value_of(std::string_view key, std::string_view text) {
  std::size_t from = std::string_view::npos, to = text.size();
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at != 0 && text[at - 1] != ' ') continue;
    for (const std::string_view known : kKeys) {
      if (!text.substr(at).starts_with(known)) continue;
      if (from != std::string_view::npos) to = std::min(to, at - 1);
      if (known == key && from == std::string_view::npos) from = at + key.size();
    }
  }
  return from == std::string_view::npos ? std::string_view() : text.substr(from, to - from);
}

std::string take_fate(const HistoryInfo& info, Event& e) {
  FateFacts fate;
  const auto what = meaning_of(kFates, e.code);
  if (!what) return fmt::format("'code' of the event is the unknown fate '{}'", e.code);
  fate.fate = *what;
  if (const auto by = value_of("by=", e.text); !by.empty()) fate.by = device_number(by, info);
  if (const auto over = value_of("over=", e.text); !over.empty()) {
    fate.over = meaning_of(kProtocols, over);
    if (!fate.over) return fmt::format("'text' of the event names the unknown protocol '{}'", over);
  }
  const auto copy_on = value_of("copy_on=", e.text);
  fate.nobody_has_copy = copy_on == kNobody;
  if (!copy_on.empty() && !fate.nobody_has_copy) fate.copy_on = device_number(copy_on, info);
  e.facts = fate;
  return {};
}

void take_agreement(const HistoryInfo& info, Event& e) {
  AgreeFacts agree;
  std::string_view rest = e.text;
  while (!rest.empty()) {
    const auto space = std::min(rest.find(' '), rest.size());
    if (space != 0) agree.devices.push_back(device_number(rest.substr(0, space), info));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  e.facts = std::move(agree);
}

std::string take_expected(const Columns& from, const HistoryInfo& info, Event& e) {
  switch (e.what) {
    case What::see:
    case What::lose:
    case What::found:
    case What::downloaded:
    case What::welcome:
      e.facts = BoundFacts{Duration(static_cast<Duration::rep>(std::exchange(e.size, 0)))};
      break;
    case What::outcome:
      e.facts = OutcomeFacts{std::string(from.other_set)};
      break;
    case What::fate:
      return take_fate(info, e);
    case What::count:
      e.facts = CountFacts{std::exchange(e.seq, 0)};
      break;
    case What::agree:
      take_agreement(info, e);
      break;
    case What::talk:
      e.facts = TalkFacts{std::exchange(e.seq, 0)};
      break;
    default:
      break;
  }
  return {};
}

}  // namespace

Columns columns(const Event& event) {
  Columns out{event.uid, event.seq, event.size, 0, {}};
  std::visit(Put{out}, event.facts);
  return out;
}

std::string take_columns(const Columns& from, const HistoryInfo& info, Event& e) {
  e.uid = from.uid;
  e.seq = from.seq;
  e.size = from.size;
  if (e.type == Type::expect) return take_expected(from, info, e);
  switch (e.what) {
    case What::select:
    case What::examine:
      e.facts = SelectFacts{std::exchange(e.seq, 0), std::exchange(e.uid, 0), from.modseq};
      break;
    case What::exists:
      e.facts = ExistsFacts{std::exchange(e.seq, 0), static_cast<std::uint32_t>(std::exchange(e.size, 0))};
      break;
    case What::row:
      e.facts = RowFacts{from.modseq, from.other_set == kEmpty};
      break;
    case What::piece:
      e.facts = PieceFacts{static_cast<std::uint32_t>(from.modseq >> 32U), static_cast<std::uint32_t>(from.modseq)};
      break;
    case What::quota:
      e.facts = QuotaFacts{std::exchange(e.size, 0), from.modseq};
      break;
    case What::top:
      e.facts = TopFacts{std::exchange(e.uid, 0), from.modseq};
      break;
    case What::stat:
    case What::enumerated:
    case What::baseline:
      e.facts = CountFacts{std::exchange(e.seq, 0)};
      break;
    case What::deliver:
      if (e.type != Type::invoke) e.facts = ReplyFacts{std::exchange(e.seq, 0)};
      break;
    case What::settle:
      e.facts = BoundFacts{Duration(static_cast<Duration::rep>(std::exchange(e.size, 0)))};
      break;
    case What::admin:
      if (e.type != Type::invoke) break;
      if (e.code == name(AdminVerb::pause))
        e.facts = BoundFacts{Duration(static_cast<Duration::rep>(std::exchange(e.size, 0)))};
      else
        e.facts = LimitFacts{std::exchange(e.size, 0)};
      break;
    case What::copy:
    case What::move:
      e.facts = CopyFacts{std::string(from.other_set)};
      break;
    case What::audit:
      e.facts = AuditFacts{std::exchange(e.seq, 0)};
      break;
    case What::rule:
      e.facts = RuleFacts{std::string(from.other_set), std::exchange(e.seq, 0)};
      break;
    default:
      break;
  }
  return {};
}

void expect_fate(const FateFacts& fate, const HistoryInfo& info, Event& event) {
  event.facts = fate;
  event.code = name(fate.fate);
  const auto add = [&](std::string_view key, std::string_view value) {
    event.text += fmt::format("{}{}{}", event.text.empty() ? "" : " ", key, value);
  };
  if (fate.by != 0) add("by=", device_name(fate.by, info));
  if (fate.over) add("over=", name(*fate.over));
  if (fate.copy_on != 0) add("copy_on=", device_name(fate.copy_on, info));
  if (fate.nobody_has_copy) add("copy_on=", kNobody);
}

void expect_agreement(AgreeFacts agree, const HistoryInfo& info, Event& event) {
  for (const std::uint32_t device : agree.devices)
    event.text += fmt::format("{}{}", event.text.empty() ? "" : " ", device_name(device, info));
  event.facts = std::move(agree);
}

}  // namespace mailproof::history
