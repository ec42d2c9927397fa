#pragma once
#include "mail/stamp.h"
#include "play/context.h"

namespace mailproof::play {

/// What was sent, for a scanner that compares; of a large message nothing.
mail::ContentScanner::AsSent as_sent(const Context& context);

/// Fills an obs event with what a scanner found in a message or header: whose it is, its hash, whether it is complete.
void describe_content(const Context& context, const mail::ContentScanner& scanner, bool full, history::Event& e);

/// If the scanned message is a delivery report (RFC 3464), appends a `report` event for each recipient in it, with the
/// message reported on.
void record_reports(Context& context, const mail::ContentScanner& scanner, const history::Event& at);

/// In order, so that two of them can be compared.
std::string join_flags(std::vector<std::string> flags);

}  // namespace mailproof::play
