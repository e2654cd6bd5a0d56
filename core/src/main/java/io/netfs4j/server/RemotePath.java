// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import java.util.ArrayList;
import java.util.List;

/**
 * A place below the root of a remote: a list of names. The root is the empty list. Names are as
 * {@link io.netfs4j.base.Names} decodes them and have been checked: none is empty, ".", ".." or
 * holds '/' or NUL.
 */
public record RemotePath(List<String> names) {
    public static final RemotePath ROOT = new RemotePath(List.of());

    public RemotePath {
        names = List.copyOf(names);
    }

    public RemotePath child(String name) {
        List<String> longer = new ArrayList<>(names.size() + 1);
        longer.addAll(names);
        longer.add(name);
        return new RemotePath(longer);
    }

    public boolean isRoot() {
        return names.isEmpty();
    }

    /** The directory that holds it; of the root, the root. */
    public RemotePath parent() {
        return isRoot() ? this : new RemotePath(names.subList(0, names.size() - 1));
    }

    /** The last name; of the root, the empty string. */
    public String name() {
        return isRoot() ? "" : names.get(names.size() - 1);
    }

    /** The names joined with '/', without one at the beginning. */
    @Override
    public String toString() {
        return String.join("/", names);
    }
}
