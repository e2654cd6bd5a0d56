// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What applications make and the server has not got yet: by the directory's number, which a rename
 * leaves it, and by the path, which renames above it change, as long as the server has no such
 * directory either.
 */
final class Announced<T> {
    private record Place(long directory, String name) {}

    private final Function<RemotePath, @Nullable ServerAttributes> peek;
    private final Map<Place, T> places = new HashMap<>();
    private final Map<RemotePath, T> paths = new HashMap<>();

    Announced(Function<RemotePath, @Nullable ServerAttributes> peek) {
        this.peek = peek;
    }

    /** In place of what was announced of that name before: its maker gave up, or failed. */
    void put(RemotePath path, T file) {
        Place place = place(path);
        if (place == null) {
            paths.put(path, file);
        } else {
            // The directory may have come since, and the answer to mkdir be on its way.
            paths.remove(path);
            places.put(place, file);
        }
    }

    /** As {@link #put}, where the server has not got it yet. */
    void putUnmade(RemotePath path, T what) {
        if (peek.apply(path) == null) {
            put(path, what);
        }
    }

    @Nullable T get(RemotePath path) {
        Place place = place(path);
        return place == null ? paths.get(path) : places.get(place);
    }

    @Nullable T remove(RemotePath path) {
        Place place = place(path);
        return place == null ? paths.remove(path) : places.remove(place);
    }

    /** The server has a directory by now. */
    void directoryMade(RemotePath directory) {
        for (RemotePath path : List.copyOf(paths.keySet())) {
            T file = paths.get(path);
            if (path.parent().equals(directory) && file != null) {
                put(path, file);
            }
        }
    }

    /** The server has moved a directory: what waits for others below it is to be made there. */
    void renamed(RemotePath from, RemotePath to, RenameMode mode) {
        Map<RemotePath, T> before = new HashMap<>(paths);
        paths.clear();
        before.forEach((path, what) -> {
            if (isBelow(path, from)) {
                paths.put(moved(path, from, to), what);
            } else if (!isBelow(path, to)) {
                paths.put(path, what);
            } else if (mode == RenameMode.EXCHANGE) {
                paths.put(moved(path, to, from), what);
            } // Else its makers gave up, for only an empty directory is replaced.
        });
    }

    private static RemotePath moved(RemotePath path, RemotePath from, RemotePath to) {
        List<String> names = new ArrayList<>(to.names());
        names.addAll(path.names().subList(from.names().size(), path.names().size()));
        return new RemotePath(names);
    }

    private static boolean isBelow(RemotePath path, RemotePath directory) {
        int depth = directory.names().size();
        return path.names().size() > depth
                && path.names().subList(0, depth).equals(directory.names());
    }

    /** Those that wait for a directory that the server has not got. */
    List<T> below(RemotePath directory) {
        List<T> files = new ArrayList<>();
        paths.forEach((path, file) -> {
            if (isBelow(path, directory)) {
                files.add(file);
            }
        });
        return files;
    }

    boolean contains(T what) {
        return places.containsValue(what) || paths.containsValue(what);
    }

    private @Nullable Place place(RemotePath path) {
        ServerAttributes directory = peek.apply(path.parent());
        return directory == null ? null : new Place(directory.serverFileId(), path.name());
    }
}
