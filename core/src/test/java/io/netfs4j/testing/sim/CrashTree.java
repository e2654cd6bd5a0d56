// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The names below one directory, by their paths: as acknowledged, and as they soon are. */
final class CrashTree {
    /** What a name stands for. */
    sealed interface Thing {
        /** Whether it was made safe: else a loss of power may take it. */
        boolean isNamed();

        void setNamed();
    }

    /** What has nothing in it by which the model would tell two of them apart. */
    private abstract static class Bare {
        private boolean named;

        public boolean isNamed() {
            return named;
        }

        public void setNamed() {
            named = true;
        }
    }

    static final class Directory extends Bare implements Thing {
        @Override
        public boolean equals(Object o) {
            return o instanceof Directory;
        }

        @Override
        public int hashCode() {
            return 1;
        }

        @Override
        public String toString() {
            return "a directory";
        }
    }

    static final class Link extends Bare implements Thing {
        private final String target;

        Link(String target) {
            this.target = target;
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Link link && link.target.equals(target);
        }

        @Override
        public int hashCode() {
            return target.hashCode();
        }

        @Override
        public String toString() {
            return "a link to " + target;
        }
    }

    record Named(CrashContent content) implements Thing {
        @Override
        public boolean isNamed() {
            return content.named;
        }

        @Override
        public void setNamed() {
            content.named = true;
        }
    }

    /** What was found under a name. */
    record Seen(@Nullable Thing thing, byte[] bytes, Instant modified) {}

    private TreeMap<String, Thing> names = new TreeMap<>();
    private @Nullable TreeMap<String, Thing> intended;

    /**
     * What was removed and is perhaps there again after a loss of power: the server may never have
     * had it, and whoever removed it has not asked for that to be safe.
     */
    private final TreeMap<String, Thing> removed = new TreeMap<>();

    Map<String, Thing> names() {
        return names;
    }

    /** Whether more of what was under way may show later. */
    boolean mayShowMore() {
        return names.values().stream()
                .anyMatch(t -> t instanceof Named file && file.content.mayShowMore());
    }

    /** What the change under way may do to the names. */
    TreeMap<String, Thing> begin() {
        TreeMap<String, Thing> after = new TreeMap<>(names);
        intended = after;
        return after;
    }

    /**
     * A name is about to be removed.
     *
     * @param isThere whether the server has it: then the journal is told before it goes there
     */
    void beginRemoval(String path, boolean isThere) {
        Thing gone = begin().remove(path);
        if (gone != null && !gone.isNamed() && !isThere) {
            removed.put(path, gone);
        }
    }

    /** What was removed in a directory stays so from now on. */
    void setRemoved(String directory) {
        removed.keySet().removeIf(path -> CrashApp.parent(path).equals(directory));
    }

    void done() {
        if (intended != null) {
            names = intended;
            intended = null;
        }
    }

    /** All that lies below a directory moves. */
    static void move(TreeMap<String, Thing> in, String from, String to) {
        TreeMap<String, Thing> moved = cut(in, from);
        cut(in, to);
        moved.forEach((path, thing) -> in.put(to + path, thing));
    }

    static void exchange(TreeMap<String, Thing> in, String one, String other) {
        TreeMap<String, Thing> first = cut(in, one);
        TreeMap<String, Thing> second = cut(in, other);
        first.forEach((path, thing) -> in.put(other + path, thing));
        second.forEach((path, thing) -> in.put(one + path, thing));
    }

    /** Takes a name out, and what is below it; by what follows the name. */
    private static TreeMap<String, Thing> cut(TreeMap<String, Thing> in, String name) {
        TreeMap<String, Thing> out = new TreeMap<>();
        for (String path : List.copyOf(in.keySet())) {
            if (path.equals(name) || path.startsWith(name + "/")) {
                out.put(path.substring(name.length()), in.remove(path));
            }
        }
        return out;
    }

    /**
     * Takes what was found for what is, from now on.
     *
     * @param powerLost what was not made safe may be lost
     * @throws Violation when it cannot be
     */
    void settle(TreeMap<String, Seen> seen, boolean powerLost, String who) {
        check(seen, powerLost, who);
        TreeMap<String, Thing> after = intended;
        if (after != null && problem(names, seen, powerLost) != null) {
            names = after;
        }
        intended = null;
        if (powerLost) {
            removed.keySet().retainAll(seen.keySet());
            removed.forEach(names::putIfAbsent);
        }
        removed.clear();
        names.keySet().retainAll(seen.keySet());
        names.forEach((path, thing) -> {
            Seen found = seen.get(path);
            if (thing instanceof Named file && found != null) {
                file.content.settle(found.bytes, found.modified, powerLost);
            }
        });
    }

    /** As {@link #settle}, but it may come out otherwise later. */
    void check(TreeMap<String, Seen> seen, boolean powerLost, String who) {
        String problem = problem(names, seen, powerLost);
        TreeMap<String, Thing> after = intended;
        if (problem != null && after != null) {
            String other = problem(after, seen, powerLost);
            problem = other == null ? null : problem + "; or with what was under way: " + other;
        }
        if (problem != null) {
            throw new Violation("I3", who + ": " + problem);
        }
    }

    private @Nullable String problem(
            TreeMap<String, Thing> names, TreeMap<String, Seen> seen, boolean powerLost) {
        Set<String> all = new TreeSet<>(names.keySet());
        all.addAll(seen.keySet());
        for (String path : all) {
            Thing thing = names.get(path);
            if (thing == null && powerLost) {
                thing = removed.get(path);
            }
            Seen found = seen.get(path);
            if (thing == null) {
                return "/" + path + " has come from nowhere";
            }
            if (found == null) {
                if (powerLost && !thing.isNamed()) {
                    continue;
                }
                return "/" + path + " is gone: " + thing;
            }
            if (thing instanceof Named file) {
                if (found.thing != null) {
                    return "/" + path + " is no file but " + found.thing;
                }
                if (!file.content.mayBe(found.bytes, powerLost)) {
                    return "/" + path + " has " + file.content.difference(found.bytes);
                }
                if (!file.content.mayBeOf(found.modified, powerLost)) {
                    return "/"
                            + path
                            + " is of "
                            + found.modified
                            + ", not "
                            + file.content.modified;
                }
            } else if (!thing.equals(found.thing)) {
                return "/" + path + " is " + found.thing + ", not " + thing;
            }
        }
        return null;
    }
}
