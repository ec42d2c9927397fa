#pragma once
#include <string>

#include "load/report.h"

namespace mailproof::load {

/// report.html of a load: verdict, SLO table, throughput and latency over time, percentile curves, heatmap, a table of
/// commands, errors with what went over the wire, the ledger, findings, machine and settings. One page without any
/// other file; the charts are drawn by uPlot, everything else is there without scripts. Bounded: at most kMostPoints
/// points in time, and charts of kMostDrawn operations, the busiest.
std::string report_html(const LoadResult& result);

inline constexpr std::size_t kMostPoints = 300, kMostDrawn = 16;

/// The data that the charts are drawn from, as JSON that may stand in a page.
std::string chart_data(const LoadResult& result);

/// The style and the scripts of pages with charts, as CMake put them in: uPlot with its licence, and our own.
std::string chart_style();
std::string chart_scripts();

}  // namespace mailproof::load
