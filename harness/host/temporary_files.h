#pragma once
#include <map>
#include <memory>
#include <string>

#include "core/result.h"

namespace mailproof::host {

/// Files in a folder of their own below the temporary directory, for this user only; gone with the object.
class TemporaryFiles {
 public:
  static Result<std::unique_ptr<TemporaryFiles>> make(const std::map<std::string, std::string>& texts);
  ~TemporaryFiles();
  TemporaryFiles(const TemporaryFiles&) = delete;
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  explicit TemporaryFiles(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace mailproof::host
