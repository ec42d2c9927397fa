#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace mailproof {

enum class AdminVerb { set_quota, set_customer_quota, restart, kill, pause, deliver };
std::string_view name(AdminVerb verb);  ///< as in target files: "set_quota"

/// What the owner of a mail server is asked to do to it. The verb says which fields count.
struct AdminRequest {
  AdminVerb verb = AdminVerb::restart;
  std::string login, address;                ///< set_quota, deliver
  std::string customer;                      ///< set_customer_quota
  std::optional<std::uint64_t> octets;       ///< set_...: the new limit; none = no limit
  Duration span{};                           ///< pause
  std::shared_ptr<const std::string> input;  ///< deliver: the message, lines end in CRLF
  /// set_...: what sets it back. Owed from before the change is made, whatever ends the run. Null: this sets back.
  std::shared_ptr<const AdminRequest> undo = {};
};

/// `status` is an exit status: 0 = done; for deliver the other ones mean what sysexits.h says (67, 69, 77: refused for
/// good; 75: not now); anything else, and -1, is a failure of the command itself.
struct AdminReply {
  int status = 0;
  std::string text;  ///< what it said, at most a few KiB
};

/// Does to the target what no mail protocol can. Lives on the network's thread and outlives whoever waits for a reply.
class Admin {
 public:
  /// May take its time: what was changed and not set back, or stands still, is put in order first. Nobody who asked for
  /// something is told of it any more.
  virtual ~Admin() = default;
  /// `done` is called once, in this call or later from the network's run. kill and restart are done when the server
  /// answers again, pause when it is over.
  virtual void perform(const AdminRequest& request, std::function<void(const AdminReply&)> done) = 0;
};

}  // namespace mailproof
