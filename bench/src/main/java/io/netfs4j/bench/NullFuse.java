// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench;

import io.netfs4j.base.FsException;
import io.netfs4j.fuse.FuseMount;
import io.netfs4j.fuse.FuseOptions;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/**
 * Mounts a {@link NullVfs} until it is unmounted: the FUSE door by itself, for {@code
 * bench/fuse-door}.
 */
public final class NullFuse {
    private NullFuse() {}

    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length != 1) {
            System.err.println("usage: NullFuse DIRECTORY");
            System.exit(2);
        }
        CountDownLatch ended = new CountDownLatch(1);
        try {
            FuseMount mount =
                    FuseMount.mount(new NullVfs(), Path.of(arguments[0]), FuseOptions.of("null"));
            mount.ended().whenDone((done, failure) -> ended.countDown());
        } catch (FsException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        ended.await();
    }
}
