#include "event_way.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace ringside {
namespace {

constexpr std::int64_t way_ns_max = 10'000'000'000;

using Key = std::pair<std::uint64_t, std::uint32_t>;  // session, input number

class Ways {
public:
    Ways(const FlightLog& log, const std::vector<FlightEntry>& entries) : log_(log) {
        of_source_.resize(log.sources());
        for (const FlightEntry& entry : entries) {
            const Happened& what = entry.happened;
            of_source_[entry.source].push_back(&entry);
            const Key key{what.first, what.third};
            if (what.what == Happening::event_applied && what.third != 0) {
                applied_[key] = &entry;
            } else if (what.what == Happening::client_sent) {
                client_sent_[key] = &entry;
            } else if (what.what == Happening::client_saw) {
                client_saw_[key] = &entry;
            }
        }
    }

    /// Nothing: some of it is not there.
    [[nodiscard]] std::optional<EventWay> way_of(const FlightEntry& input) const {
        const Key key{input.happened.first, input.happened.third};
        const auto applied = applied_.find(key);
        if (applied == applied_.end()) {
            return std::nullopt;
        }
        EventWay way{.session = SessionId{key.first},
                     .number = key.second,
                     .game = log_.game_of(applied->second->source).value_or(GameId{}),
                     .front_source = input.source,
                     .game_source = applied->second->source};
        set(way, Point::received, input);
        set(way, Point::applied, *applied->second);
        return through_host(way, input) ? std::optional(with_client(way, key)) : std::nullopt;
    }

private:
    static void set(EventWay& way, Point point, const FlightEntry& entry) {
        way.at_ns[static_cast<std::size_t>(point)] = entry.ns;
    }

    /// The first in a source, not before this time, that is as wanted.
    template <class Wanted>
    const FlightEntry* first_of(std::uint32_t source, std::int64_t from_ns, Happening kind,
                                Wanted wanted) const {
        const auto& all = of_source_[source];
        auto each = std::ranges::lower_bound(all, from_ns, {}, &FlightEntry::ns);
        for (; each != all.end() && (*each)->ns < from_ns + way_ns_max; ++each) {
            if ((*each)->happened.what == kind && wanted((*each)->happened)) {
                return *each;
            }
        }
        return nullptr;
    }

    bool through_host(EventWay& way, const FlightEntry& input) const {
        const std::uint64_t game = game_key(way.game);
        const auto step = [&](Point from, Point to, std::uint32_t source, Happening kind,
                              auto wanted) -> const FlightEntry* {
            const FlightEntry* found = first_of(source, way.at(from), kind, wanted);
            if (found != nullptr) {
                set(way, to, *found);
            }
            return found;
        };
        const auto any = [](const Happened&) { return true; };
        const auto* snapshot = step(Point::applied, Point::snapshot, way.game_source,
                                    Happening::snapshot_published, any);
        if (snapshot == nullptr ||
            step(Point::received, Point::published, way.front_source, Happening::event_published,
                 [&](const Happened& each) {
                     return each.first == game && each.second >= input.happened.second;
                 }) == nullptr ||
            step(Point::applied, Point::tick_begun, way.game_source, Happening::tick_begin, any) ==
                nullptr ||
            step(Point::tick_begun, Point::tick_ended, way.game_source, Happening::tick_end, any) ==
                nullptr) {
            return false;
        }
        const std::uint64_t sequence = snapshot->happened.second;
        if (way.at(Point::tick_ended) > way.at(Point::snapshot)) {
            // Applied while nothing ticks: the snapshot comes without a tick.
            way.at_ns[static_cast<std::size_t>(Point::tick_begun)] = way.at(Point::applied);
            way.at_ns[static_cast<std::size_t>(Point::tick_ended)] = way.at(Point::applied);
        }
        return step(Point::snapshot, Point::read, way.front_source, Happening::snapshot_read,
                    [&](const Happened& each) {
                        return each.first == game && each.second >= sequence;
                    }) != nullptr &&
               step(Point::read, Point::sending, way.front_source, Happening::send,
                    [&](const Happened& each) {
                        return each.first == value(way.session) && each.second >= sequence;
                    }) != nullptr &&
               step(Point::sending, Point::sent, way.front_source, Happening::sent,
                    [&](const Happened& each) { return each.first == value(way.session); }) !=
                   nullptr;
    }

    /// A client of another machine has another clock: its points are left out then.
    [[nodiscard]] EventWay with_client(EventWay way, const Key& key) const {
        const auto sent = client_sent_.find(key);
        const auto saw = client_saw_.find(key);
        if (sent == client_sent_.end() || saw == client_saw_.end()) {
            return way;
        }
        const auto sent_ns = static_cast<std::int64_t>(sent->second->happened.second);
        const auto saw_ns = static_cast<std::int64_t>(saw->second->happened.second);
        const bool same_clock =
            sent_ns <= way.at(Point::received) && sent_ns > way.at(Point::received) - way_ns_max &&
            saw_ns >= way.at(Point::sending) && saw_ns < way.at(Point::sending) + way_ns_max;
        if (same_clock) {
            way.stamped = true;
            way.at_ns[static_cast<std::size_t>(Point::client_sent)] = sent_ns;
            way.at_ns[static_cast<std::size_t>(Point::client_saw)] = saw_ns;
            // The client may have the bytes before the front hears that the kernel took them.
            auto& taken_ns = way.at_ns[static_cast<std::size_t>(Point::sent)];
            taken_ns = std::min(taken_ns, saw_ns);
        }
        return way;
    }

    const FlightLog& log_;
    std::vector<std::vector<const FlightEntry*>> of_source_;
    std::map<Key, const FlightEntry*> applied_;
    std::map<Key, const FlightEntry*> client_sent_;
    std::map<Key, const FlightEntry*> client_saw_;
};

}  // namespace

std::vector<EventWay> find_ways(const FlightLog& log, const std::vector<FlightEntry>& entries,
                                const WayFilter& filter) {
    const Ways all(log, entries);
    std::vector<EventWay> ways;
    for (const FlightEntry& entry : entries) {
        const bool of_interest =
            entry.happened.what == Happening::input &&
            (!filter.session || value(*filter.session) == entry.happened.first);
        if (!of_interest) {
            continue;
        }
        const auto way = all.way_of(entry);
        if (way && (!filter.game || *filter.game == way->game)) {
            ways.push_back(*way);
        }
    }
    return ways;
}

}  // namespace ringside
