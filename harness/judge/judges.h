#pragma once
#include <vector>

#include "judge/judge.h"

// One function a file; the table in judge.cc names what each protects.
namespace mailproof::judge {

/// The deviation that says of a row that it was not to be read.
inline constexpr std::string_view kUnreadableRow = "imap.fetch.unreadable";

using Findings = std::vector<Finding>;

void judge_loss(const history::History&, const history::Ledger&, Findings&);
void judge_content(const history::History&, const history::Ledger&, Findings&);
void judge_duplicates(const history::History&, const history::Ledger&, Findings&);
void judge_identity(const history::History&, const history::Ledger&, Findings&);
void judge_view(const history::History&, const history::Ledger&, Findings&);
void judge_removal(const history::History&, const history::Ledger&, Findings&);
void judge_pop3_session(const history::History&, const history::Ledger&, Findings&);
void judge_uidl(const history::History&, const history::Ledger&, Findings&);
void judge_maildrop_lock(const history::History&, const history::Ledger&, Findings&);
void judge_agreement(const history::History&, const history::Ledger&, Findings&);
void judge_lmtp_replies(const history::History&, const history::Ledger&, Findings&);
void judge_bounce(const history::History&, const history::Ledger&, Findings&);
void judge_quota(const history::History&, const history::Ledger&, Findings&);
void judge_isolation(const history::History&, const history::Ledger&, Findings&);
void judge_expectation(const history::History&, const history::Ledger&, Findings&);
void judge_tls(const history::History&, const history::Ledger&, Findings&);
void judge_conformance(const history::History&, const history::Ledger&, Findings&);
void judge_flags(const history::History&, const history::Ledger&, Findings&);
void judge_uidplus(const history::History&, const history::Ledger&, Findings&);
void judge_modseq(const history::History&, const history::Ledger&, Findings&);
void judge_maildrop(const history::History&, const history::Ledger&, Findings&);
void judge_idle(const history::History&, const history::Ledger&, Findings&);
void judge_mailboxes(const history::History&, const history::Ledger&, Findings&);
void judge_recipients(const history::History&, const history::Ledger&, Findings&);
/// Of judge_session(): what departs from the grammar. All that is judged of a talk beside its lines.
void judge_deviations(const history::History&, const history::Ledger&, Findings&);
void judge_session(const history::History&, const history::Ledger&, Findings&);

}  // namespace mailproof::judge
