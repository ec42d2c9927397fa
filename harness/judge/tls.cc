// What comes in clear text behind STARTTLS or STLS is not obeyed under TLS.
#include <fmt/format.h>

#include "core/bytes.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {

void judge_tls(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "tls", out);
  for (const history::Event& e : history.events()) {
    if (e.what != history::What::smuggled || e.code != "answered") continue;
    c.find("clear-text-obeyed",
           {"no answer to what was sent in clear text in one piece with STARTTLS",
            fmt::format("{} is answered under TLS at {}: {}", c.who(e), c.when(e), printable(e.text, 200)),
            {e.index},
            0,
            ""});
  }
}

}  // namespace mailproof::judge
