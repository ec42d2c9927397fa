#include "load/machine.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace mailproof::load {
namespace {

/// "Intel(R) Xeon(R) ...", or "" where the kernel does not say.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (const auto colon = line.find(": "); line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  return {};
}

}  // namespace

std::string this_machine() {
  utsname kernel{};
  uname(&kernel);
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  const std::string model = processor();
  return fmt::format("{}: {} x {}, {:.0f} GB, {} {}", kernel.nodename, sysconf(_SC_NPROCESSORS_ONLN),
                     model.empty() ? kernel.machine : model.c_str(), memory / 1e9, kernel.sysname, kernel.release);
}

}  // namespace mailproof::load
