#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace mailproof::scenario {

/// A word of the language and what it means. The first word for a meaning is the one we print.
template <class E>
struct Word {
  std::string_view word;
  E meaning;
};

template <class E, std::size_t N>
constexpr std::string_view word_for(const Word<E> (&table)[N], E meaning) {
  for (const auto& entry : table)
    if (entry.meaning == meaning) return entry.word;
  return "?";
}

template <class E, std::size_t N>
std::vector<std::string> words_of(const Word<E> (&table)[N]) {
  std::vector<std::string> out;
  for (const auto& entry : table) out.emplace_back(entry.word);
  return out;
}

inline constexpr Word<Need> kNeeds[] = {{"imap", Need::imap},     {"pop3", Need::pop3}, {"delivery", Need::delivery},
                                        {"smtp", Need::smtp},     {"lmtp", Need::lmtp}, {"quota", Need::quota},
                                        {"bounce", Need::bounce}, {"tls", Need::tls},   {"admin", Need::admin}};

inline constexpr Word<Way> kWays[] = {
    {"any", Way::any}, {"lmtp", Way::lmtp}, {"smtp", Way::smtp}, {"append", Way::append}, {"command", Way::command}};

inline constexpr Word<DeviceKind> kDeviceKinds[] = {
    {"delivers", DeviceKind::deliverer}, {"imap", DeviceKind::imap}, {"pop3", DeviceKind::pop3}};

inline constexpr Word<Outcome> kOutcomes[] = {{"accepted", Outcome::accepted},
                                              {"refused", Outcome::refused},
                                              {"deferred", Outcome::deferred},
                                              {"bounced", Outcome::bounced},
                                              {"refused-or-bounced", Outcome::refused_or_bounced}};

inline constexpr Word<Welcome> kWelcomes[] = {
    {"accepted", Welcome::accepted}, {"refused", Welcome::refused}, {"either", Welcome::either}};

inline constexpr Word<Fate> kFates[] = {{"present", Fate::present},
                                        {"removed-by-client", Fate::removed_by_client},
                                        {"expired-by-client-policy", Fate::expired_by_client_policy},
                                        {"moved", Fate::moved},
                                        {"refused", Fate::refused},
                                        {"deferred", Fate::deferred},
                                        {"queued", Fate::queued},
                                        {"bounced", Fate::bounced},
                                        {"suppressed-duplicate", Fate::suppressed_duplicate},
                                        {"lost", Fate::lost},
                                        {"unknown", Fate::unknown}};

inline constexpr Word<MessageKind> kMessageKinds[] = {{"plain", MessageKind::plain},
                                                      {"office", MessageKind::office},
                                                      {"dot-lines", MessageKind::dot_lines},
                                                      {"long-lines", MessageKind::long_lines},
                                                      {"eight-bit", MessageKind::eight_bit},
                                                      {"header-only", MessageKind::header_only},
                                                      {"no-final-newline", MessageKind::no_final_newline},
                                                      {"bare-lf", MessageKind::bare_lf},
                                                      {"dots", MessageKind::dots},
                                                      {"lone-dot", MessageKind::lone_dot},
                                                      {"edge", MessageKind::edge},
                                                      {"line", MessageKind::line},
                                                      {"utf8-header", MessageKind::utf8_header}};

inline constexpr Word<Level> kLevels[] = {
    {"MUST", Level::must}, {"SHOULD", Level::should}, {"PRACTICE", Level::practice}, {"MAY", Level::may}};

inline constexpr Word<Harm> kHarms[] = {{"lost", Harm::lost}, {"altered", Harm::altered}, {"leaked", Harm::leaked}};

inline constexpr Word<How> kHows[] = {{"expunge", How::expunge}, {"trash", How::trash}, {"flag", How::flag}};

inline constexpr Word<Resync> kResyncs[] = {
    {"full", Resync::full}, {"condstore", Resync::condstore}, {"qresync", Resync::qresync}};

inline constexpr Word<Cut::When> kCuts[] = {{"before-reply", Cut::When::before_reply},
                                            {"after-reply", Cut::When::after_reply},
                                            {"after-final-dot", Cut::When::after_final_dot}};

inline constexpr Word<Protocol> kProtocols[] = {
    {"imap", Protocol::imap}, {"pop3", Protocol::pop3}, {"smtp", Protocol::smtp}, {"lmtp", Protocol::lmtp}};

inline constexpr Word<TlsMode> kTlsModes[] = {
    {"none", TlsMode::none}, {"starttls", TlsMode::starttls}, {"implicit", TlsMode::implicit}};

inline constexpr Word<AfterDownload::Policy> kAfterDownload[] = {{"keep", AfterDownload::Policy::keep},
                                                                 {"delete", AfterDownload::Policy::remove}};

inline constexpr Word<std::string_view> kFlags[] = {{"seen", "\\Seen"},
                                                    {"flagged", "\\Flagged"},
                                                    {"answered", "\\Answered"},
                                                    {"deleted", "\\Deleted"},
                                                    {"draft", "\\Draft"}};

}  // namespace mailproof::scenario
