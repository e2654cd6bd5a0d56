// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The mount's process is killed; the machine goes on, and so has all that was written. */
final class ProcessKill implements Crash {
    private static final List<String> OPTIONS =
            List.of("fsync=server", "fsync=journal", "metadata=sync", "close=start");

    private Path state = Path.of("");

    @Override
    public String prepare(Path work, Map<String, String> server) {
        state = work.resolve("kept");
        return server.get("SFTP_REMOTE");
    }

    @Override
    public Path state() {
        return state;
    }

    @Override
    public String options(Random random) {
        return OPTIONS.get(random.nextInt(OPTIONS.size()));
    }

    @Override
    public void pass(long millis, Random random) throws InterruptedException {
        Thread.sleep(millis);
    }

    @Override
    public boolean strike(CrashedMount mount, Random random)
            throws IOException, InterruptedException {
        mount.kill();
        return false;
    }

    @Override
    public void recover() {}

    @Override
    public void close() {}

    @Override
    public String leftOver() {
        return "";
    }

    @Override
    public String report(long bytesHere) {
        return "";
    }
}
