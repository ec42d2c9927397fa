#pragma once
#include <cstdint>
#include <set>
#include <string>

#include "judge/case.h"

// Why what a scenario expects may be otherwise, though no client had a hand in it.
namespace mailproof::judge {

/// RFC 6154 section 2 (\Junk): a server may put what is delivered into another mailbox. Nobody saw it in INBOX, and no
/// client put it where it is.
/// "" = that is not so.
std::string filed_elsewhere(const Case& c, const history::Event& expectation, std::uint32_t message,
                            std::uint32_t account);

/// Where a copy is that was in INBOX when the message was delivered once more (event `again`), and was filed since, or
/// that was saved before it was delivered, as what one sends to oneself: for who suppresses duplicates it is there all
/// the same. Null: nowhere.
const history::Cell* copy_elsewhere(const Case& c, const history::Cell& inbox, std::uint32_t again);

/// RFC 7352 section 3: a filter against duplicates drops what has the Message-ID of what is there. Nobody saw it in
/// INBOX, or not since a client removed it, and it is where a client had saved it before it was delivered.
bool is_kept_where_it_was_saved(const Case& c, const history::Event& expectation, std::uint32_t message,
                                std::uint32_t account);
/// How many copies less INBOX has for that.
int kept_where_they_were_saved(const Case& c, const history::Event& expectation, std::uint32_t account);

/// What was refused for want of room by a server whose usage is more than the messages it holds, which RFC 9208 section
/// 5.1 lets it be: the events of the refusals.
std::set<std::uint32_t> refused_by_an_estimate(const Case& c);

/// What the server filed in another mailbox counts there, also when a device has emptied INBOX: why an account that was
/// refused something for want of room has none. "" = nothing was filed before.
std::string full_of_what_was_filed(const Case& c, const history::Attempt& refused);

/// Over SMTP the dot has one reply for all recipients (RFC 5321 section 4.1.1.4): where one of them is full, who sends
/// to each alone learns which.
bool refused_with_a_full_one(const Case& c, const history::Attempt& refused);

/// Whether a message that a session had in its list may have gone before it asked for it: somebody had asked that it
/// goes, or had marked something of this account with \Deleted, and nobody knows which.
bool may_be_gone(const Case& c, const history::Event& outcome, std::uint32_t message);

/// Whether the audit was told the flags that the expectation is about, when it was told of this message last.
bool flags_at_end(const Case& c, const history::Event& expectation, std::uint32_t message);

}  // namespace mailproof::judge
