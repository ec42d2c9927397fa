#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "history/history.h"
#include "scenario/yaml/node.h"

namespace mailproof::explore {

/// Who acts in a story that is made of a history: accounts and devices by names that tell nobody's. A device of a story
/// has one connection at a time, so that of a device with several each is another one.
class RetoldCast {
 public:
  explicit RetoldCast(const history::History& history);

  /// "phone"; the same for sessions of a device that do not overlap. "" = the session is of nobody who acts.
  const std::string& device_of(std::uint32_t session) const;
  const std::string& account_name(std::uint32_t account) const { return accounts_.at(account); }
  /// An IMAP device of this account that can put mail where no delivery puts it; "" = it has none.
  std::string saver(std::uint32_t account) const;
  bool has_pop3() const { return pop3_; }
  bool has_imap() const { return imap_; }
  scenario::Node accounts() const;
  scenario::Node devices(bool with_mta) const;

 private:
  struct Device {
    std::string name;
    bool pop3 = false;
    std::uint32_t account = 0, of = 0;  ///< of: the device of the history
    std::uint32_t busy_until = 0;       ///< event
  };
  std::string name_for(bool pop3);

  std::map<std::uint32_t, std::string> accounts_;
  std::vector<Device> devices_;
  std::map<std::uint32_t, std::string> device_of_;  ///< by session
  std::size_t imaps_ = 0, pops_ = 0;
  bool pop3_ = false, imap_ = false;
};

// Parts of a story's tree.
scenario::Node word(std::string text);
scenario::Node list_of(const std::vector<std::string>& words);
scenario::Node map_of(std::vector<std::pair<std::string, scenario::Node>> entries);

}  // namespace mailproof::explore
