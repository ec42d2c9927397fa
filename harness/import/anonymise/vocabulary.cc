// Words that say nothing of anybody: of the protocols (RFC 1939, 2449, 3501, 5321, 9051 and their extensions), of the
// form of mail (RFC 5322, 2045), of what servers commonly answer, and of our own histories.
#include <algorithm>
#include <unordered_set>

#include "history/names.h"
#include "import/anonymise/words.h"

namespace mailproof::imports {
namespace {

constexpr std::string_view kWords = R"(
7bit 8bit 8bitmime a about accepted access account acl active add added after again against alert all
already alternative an and answered any apop append appended appenduid application apr arc archive archived
are as ascii asked at attachment aug auth authenticate authenticated authentication authenticationfailed
auto available bad badcharset base64 bcc bdat be been before begin begins behind binary binarymime body
bodystructure bound boundary broken bulk by bye bytes c cannot capa capabilities capability catenate cc
certainly changed changedsince charset check children chunking ciphers clean clear cleartext client
clienttoken close closed command commands comment complaints complete completed compress compressionactive
condstore connect connected connection content convert copied copy copyuid corrupted cram create created
current data date dec deferred dele delete deleted deletedafter deliver delivered deliveries delivery
description device digest disabled discarded disposition dkim does done dot draft drafts drop dsn each
earlier echo ehlo emailid en enable enabled encoding encrypted end ended enhancedstatuscodes enumerated
envelope eof err error errors esearch esmtp esmtps esmtpsa esort etrn examine exceeded exists expire expired
expunge expunged expungeissued external fail failed failure fault feb feedback fetch field fields file
filename filter filters find first flag flagged flags flowed follows for format forwarded found fri from
full get getacl getmetadata getquota getquotaroot gmt gone greeting gssapi happened has haschildren
hasnochildren header headers helo help here hidden highestmodseq host html http https id idle ids ietf if
image imap imap4 imap4rev1 imap4rev2 imaps implementation importance important in inbox index inferiors info
inline inprogress insert install insufficient internaldate into inuse invalid invoke io ip ir is iso it jan
jpeg json jul jun junk keep kept keyword known knows labels lang language last latin1 left length lhlo limit
line lines list listed listextended listmyrights liststatus literal literal8 lmtp lmtps lock locked logged
loggedout logging login logins logout longer lost lsub mail mailbox mailboxes mailboxid maildrop mailer
mailproof mailprooflog main managesieve mar marked marking max may md5 message messages metadata method mime
missing mixed mode modified modseq mon more move moved msg multiappend multipart multisearch my name
namespace needs never new next nil no nobody noinferiors nomodseq nonauth none nonexistent noop noselect
nosuch not nothing notification notify nov now ntlm number numbers oauthbearer objectid obs oct octet octets
octetstream of off ok old on once one only open opened options or order ordering organization original other
otp out over overquota own parse parsed part partial pass password path peek permanent permanentflags
permanently permission pgp pipelining plain play playing please png pop pop3 pop3s preauth precedence
prepared preview printable priority problem process protocol proxy qresync quit quota quotaroot quoted
quotedprintable rcpt read readable ready received recent recipient recipients recording references refused
related remote remove removed rename renamed renewed replace reply report reports resent reset resp response
results retr retrieve return rfc rfc822 rights root row rset s sasl saslir sat save saved savedate scram
search searched searchres section secure seen select selected send sender sensitivity sent sep separator seq
server service session set sha sha1 sha256 sieve signature signed silent since size smtp smtps smtputf8 sort
sorted space spam special specialuse spf stale starred started starts starttls stat state status statussize
step stls storage store stored structure sub subject submitted subscribe subscribed success sun supported
sys system tag taken temp temporary text than thank that the their them then there this thread threadid
throw thu time timeout tls to token too toobig top topic transaction transfer trash trycreate tue type types
ubound uid uidl uidnext uidnotsticky uidonly uidplus uids uidvalidity unanswered unauthenticate unavailable
unchanged unchangedsince undeleted undraft unflagged unique unkeyword unknown unmarked unread unseen
unselect unsubscribe until update upper us use used user users using utc utf utf7 utf8 vanished version vrfy
waiting was wed what where which while who whole windows with within without write wrong x xclient xforward
xlist xoauth2 yes you your zero
res quotaset deflate keywords valid highest
exim postfix box msgid lda dsn relay bounced
)";

/// "pop-list" is two.
void add(std::string_view text, std::unordered_set<std::string>& to) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of("- \n", at), text.size());
    if (end > at) to.emplace(text.substr(at, end - at));
    at = end + 1;
  }
}

std::unordered_set<std::string> all() {
  std::unordered_set<std::string> out;
  add(kWords, out);
  for (const auto& word : history::kWhats) add(word.word, out);
  for (const auto& word : history::kTypes) add(word.word, out);
  return out;
}

}  // namespace

bool is_vocabulary(std::string_view word) {
  static const std::unordered_set<std::string> known = all();
  return known.contains(std::string(word));
}

}  // namespace mailproof::imports
