// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Options for one back end by name, each with the values it was given, in order. */
public record ServerOptions(Map<String, List<String>> values) {
    public static final ServerOptions NONE = new ServerOptions(Map.of());

    public ServerOptions {
        values = Map.copyOf(new TreeMap<>(values));
    }

    /** The last value given, or null. */
    public @Nullable String last(String name) {
        List<String> all = values.get(name);
        return all == null || all.isEmpty() ? null : all.get(all.size() - 1);
    }

    public List<String> all(String name) {
        return values.getOrDefault(name, List.of());
    }

    /** The last value as a whole number within bounds, or the default. */
    public long number(String name, long least, long most, long otherwise) throws FsException {
        String text = last(name);
        if (text == null) {
            return otherwise;
        }
        try {
            long n = Long.parseLong(text.trim());
            if (n >= least && n <= most) {
                return n;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message for both.
        }
        throw new FsException(
                FsError.EINVAL,
                "option " + name + "=" + text + ": a whole number from " + least + " to " + most);
    }
}
