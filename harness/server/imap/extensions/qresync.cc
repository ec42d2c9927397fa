// QRESYNC (RFC 7162 section 3.2).
#include "server/imap/session.h"

namespace mailproof::server {
namespace {

struct Resync {
  std::uint32_t uid_validity = 0;
  Modseq modseq = 0;
  std::optional<imap::SequenceSet> known;
};
using Asked = std::optional<Resync>;

// qresync-param = "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
bool read_parameter(ImapSession& session, imap::Cursor& c) {
  if (!session.qresync()) {
    session.bad("Unknown parameter, or QRESYNC before ENABLE");
    return false;
  }
  session.enable_condstore(false);
  Resync read;
  c.sp();
  c.expect('(');
  read.uid_validity = c.nz_number();
  c.sp();
  read.modseq = c.number64();
  if (c.accept(' ') && c.peek() != '(') {
    read.known = c.sequence_set();
    c.accept(' ');
  }
  if (c.peek() == '(') c.skip_value();
  c.expect(')');
  session.of_command<Asked>() = std::move(read);
  return true;
}

void resync(ImapSession& session) {
  const auto asked = session.of_command<Asked>();
  auto& view = *session.view();
  if (!asked || !session.keeps_modseqs() || asked->uid_validity != view.mailbox().uid_validity()) return;
  const auto& known = asked->known;
  session.write_vanished_since(asked->modseq, known ? &*known : nullptr);
  for (std::size_t i = 0; i < view.size(); ++i) {
    const auto& message = *view.entries()[i].message;
    if (message.modseq <= asked->modseq || (known && !known->contains(message.uid, view.last_uid()))) continue;
    session.report_flags(i, message.flags);
  }
}

}  // namespace

const Extension& qresync_extension() {
  static const Extension extension{.capabilities = "QRESYNC",
                                   .enables = {{"QRESYNC", [](ImapSession& session) { session.enable_qresync(); }}},
                                   .select_parameters = {{"QRESYNC", read_parameter}},
                                   .selected = resync};
  return extension;
}

}  // namespace mailproof::server
