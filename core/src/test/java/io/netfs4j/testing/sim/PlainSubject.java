// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.HashMap;
import java.util.Map;

/** The file system without a cache as a subject. */
record PlainSubject(PlainVfs vfs) implements Subject {
    static Factory with(PlainVfs.Bug bug) {
        return (environment, server, limits) -> {
            ((SimServer) server).grantAll();
            return new PlainSubject(new PlainVfs(environment, server, bug));
        };
    }

    @Override
    public boolean knowsRanges() {
        return false;
    }

    @Override
    public boolean knowsLinks() {
        return false;
    }

    @Override
    public int applicationsMax() {
        return 1; // It does not keep names apart.
    }

    @Override
    public void close() {
        // Nothing is held back.
    }

    @Override
    public Map<String, Long> accounts() {
        return new HashMap<>(Map.of("open files", vfs.opens));
    }

    @Override
    public void check() {
        // It has no locks.
    }
}
