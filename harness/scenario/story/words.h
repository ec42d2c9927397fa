#pragma once
#include <string>
#include <string_view>

#include "core/names.h"
#include "scenario/scenario.h"

namespace mailproof::scenario {

inline constexpr Word<Need> kNeeds[] = {{"imap", Need::imap},     {"pop3", Need::pop3}, {"delivery", Need::delivery},
                                        {"smtp", Need::smtp},     {"lmtp", Need::lmtp}, {"quota", Need::quota},
                                        {"bounce", Need::bounce}, {"tls", Need::tls},   {"admin", Need::admin}};
static_assert(complete(kNeeds));

inline constexpr Word<Way> kWays[] = {
    {"any", Way::any}, {"lmtp", Way::lmtp}, {"smtp", Way::smtp}, {"append", Way::append}, {"command", Way::command}};
static_assert(complete(kWays));

inline constexpr Word<DeviceKind> kDeviceKinds[] = {
    {"delivers", DeviceKind::deliverer}, {"imap", DeviceKind::imap}, {"pop3", DeviceKind::pop3}};
static_assert(complete(kDeviceKinds));

inline constexpr Word<Outcome> kOutcomes[] = {{"accepted", Outcome::accepted},
                                              {"refused", Outcome::refused},
                                              {"deferred", Outcome::deferred},
                                              {"bounced", Outcome::bounced},
                                              {"refused-or-bounced", Outcome::refused_or_bounced}};
static_assert(complete(kOutcomes));

inline constexpr Word<Welcome> kWelcomes[] = {
    {"accepted", Welcome::accepted}, {"refused", Welcome::refused}, {"either", Welcome::either}};
static_assert(complete(kWelcomes));

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
static_assert(complete(kMessageKinds));

inline constexpr Word<Level> kLevels[] = {
    {"MUST", Level::must}, {"SHOULD", Level::should}, {"PRACTICE", Level::practice}, {"MAY", Level::may}};
static_assert(complete(kLevels));

inline constexpr Word<Harm> kHarms[] = {{"lost", Harm::lost}, {"altered", Harm::altered}, {"leaked", Harm::leaked}};

inline constexpr Word<How> kHows[] = {{"expunge", How::expunge}, {"trash", How::trash}, {"flag", How::flag}};
static_assert(complete(kHows));

inline constexpr Word<Resync> kResyncs[] = {
    {"full", Resync::full}, {"condstore", Resync::condstore}, {"qresync", Resync::qresync}};
static_assert(complete(kResyncs));

inline constexpr Word<Transfer> kTransfers[] = {{"data", Transfer::data}, {"bdat", Transfer::bdat}};
static_assert(complete(kTransfers));

inline constexpr Word<Cut::When> kCuts[] = {{"before-reply", Cut::When::before_reply},
                                            {"after-reply", Cut::When::after_reply},
                                            {"after-final-dot", Cut::When::after_final_dot}};

inline constexpr Word<AfterDownload::Policy> kAfterDownload[] = {{"keep", AfterDownload::Policy::keep},
                                                                 {"delete", AfterDownload::Policy::remove}};

inline constexpr Word<std::string_view> kFlags[] = {{"seen", "\\Seen"},
                                                    {"flagged", "\\Flagged"},
                                                    {"answered", "\\Answered"},
                                                    {"deleted", "\\Deleted"},
                                                    {"draft", "\\Draft"}};

}  // namespace mailproof::scenario
