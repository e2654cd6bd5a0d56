// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Disk;
import io.netfs4j.testing.ForgetfulDisk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The disk of a mount's machine: takes its time, hangs for a while, fails, is full; the process may
 * die in a call.
 */
final class CrashDisk implements Disk {
    private static final long CALL_NANOS_MAX = 200_000;
    private static final double[] RATES = {0, 0, 0, 0.002, 0.02};

    private final ForgetfulDisk disk;
    private final SimLoop loop;
    private final RandomGenerator random;
    private final double failing;
    private final double hanging;
    private boolean quiet;
    private int failures;
    private int hangs;

    CrashDisk(ForgetfulDisk disk, SimLoop loop, RandomGenerator random, boolean faults) {
        this.disk = disk;
        this.loop = loop;
        this.random = random;
        failing = faults ? RATES[random.nextInt(RATES.length)] : 0;
        hanging = RATES[random.nextInt(RATES.length)];
    }

    /** How many calls have failed. */
    int failures() {
        return failures;
    }

    int hangs() {
        return hangs;
    }

    void loud() {
        quiet = false;
    }

    void quiet() {
        quiet = true;
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private <T> T call(Call<T> action) throws IOException {
        loop.requireAlive();
        long wait = random.nextLong(CALL_NANOS_MAX);
        if (!quiet && random.nextDouble() < hanging) {
            hangs++;
            wait = random.nextLong(20_000_000_000L);
        }
        loop.sleep(wait);
        loop.requireAlive();
        if (!quiet && random.nextDouble() < failing) {
            failures++;
            disk.failAt(
                    0, 1, random.nextBoolean() ? "Input/output error" : "No space left on device");
        }
        try {
            return action.run();
        } catch (ForgetfulDisk.Killed e) {
            loop.die(e);
            throw e;
        }
    }

    private interface Act {
        void run() throws IOException;
    }

    private void act(Act action) throws IOException {
        call(() -> {
            action.run();
            return true;
        });
    }

    @Override
    public List<String> list() throws IOException {
        return call(disk::list);
    }

    @Override
    public File open(String name, boolean create) throws IOException {
        return new OpenFile(call(() -> disk.open(name, create)));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        act(() -> disk.rename(from, to));
    }

    @Override
    public void link(Disk from, String name, String as) throws IOException {
        act(() -> disk.link(from instanceof CrashDisk other ? other.disk : from, name, as));
    }

    @Override
    public void delete(String name) throws IOException {
        act(() -> disk.delete(name));
    }

    @Override
    public void forceNames() throws IOException {
        act(disk::forceNames);
    }

    @Override
    public long freeBytes() throws IOException {
        return call(disk::freeBytes);
    }

    @Override
    public long totalBytes() throws IOException {
        return call(disk::totalBytes);
    }

    private final class OpenFile implements File {
        private final File file;

        OpenFile(File file) {
            this.file = file;
        }

        @Override
        public long sizeBytes() throws IOException {
            return call(file::sizeBytes);
        }

        @Override
        public int read(ByteBuffer to, long position) throws IOException {
            return call(() -> file.read(to, position));
        }

        @Override
        public void write(ByteBuffer from, long position) throws IOException {
            act(() -> file.write(from, position));
        }

        @Override
        public void truncate(long sizeBytes) throws IOException {
            act(() -> file.truncate(sizeBytes));
        }

        @Override
        public void force() throws IOException {
            act(file::force);
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
