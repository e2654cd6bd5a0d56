// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * A directory of the file system of this machine. Files that it makes are its owner's alone (0600).
 *
 * <p>An interrupt closes a {@link FileChannel} under whoever uses it, the caller's or another
 * thread's. Everything here says where in the file it acts, so that it is opened again and done
 * once more; the interrupt is passed on afterwards.
 */
public final class SystemDisk implements Disk {
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private static final Set<OpenOption> EXISTING =
            Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);

    private static final Set<OpenOption> MADE =
            Set.of(
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.CREATE,
                    LinkOption.NOFOLLOW_LINKS);

    private final Path directory;

    /**
     * @param directory is there, and nobody else writes into it
     */
    public SystemDisk(Path directory) {
        this.directory = directory;
    }

    @Override
    public List<String> list() throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> entries = Files.list(directory)) {
            entries.forEach(entry -> {
                Path name = entry.getFileName();
                if (name != null && Files.isRegularFile(entry, LinkOption.NOFOLLOW_LINKS)) {
                    names.add(name.toString());
                }
            });
        } catch (java.io.UncheckedIOException e) {
            throw e.getCause();
        }
        return names;
    }

    @Override
    public File open(String name, boolean create) throws IOException {
        Path path = directory.resolve(name);
        return new SystemFile(path, FileChannel.open(path, create ? MADE : EXISTING, OWNER_ONLY));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(
                directory.resolve(from),
                directory.resolve(to),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void link(Disk from, String name, String as) throws IOException {
        if (!(from instanceof SystemDisk other)) {
            throw new IOException(from + " is no directory of this machine");
        }
        try {
            Files.createLink(directory.resolve(as), other.directory.resolve(name));
        } catch (UnsupportedOperationException e) {
            throw new IOException("there are no links here", e);
        }
    }

    @Override
    public void delete(String name) throws IOException {
        Files.delete(directory.resolve(name));
    }

    @Override
    public void forceNames() throws IOException {
        uninterrupted(() -> {
            try (FileChannel opened = FileChannel.open(directory, StandardOpenOption.READ)) {
                opened.force(true);
            }
            return 0;
        });
    }

    @Override
    public long freeBytes() throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    @Override
    public long totalBytes() throws IOException {
        return Files.getFileStore(directory).getTotalSpace();
    }

    private interface Action {
        int run() throws IOException;
    }

    /** Does something again that an interrupt has ended. */
    private static int uninterrupted(Action action) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return action.run();
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                } catch (AsynchronousCloseException e) {
                    continue; // Another thread's.
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static final class SystemFile implements File {
        private final Path path;
        private final ReentrantLock lock = new ReentrantLock();

        @GuardedBy("lock")
        private FileChannel channel;

        @GuardedBy("lock")
        private boolean closed;

        SystemFile(Path path, FileChannel channel) {
            this.path = path;
            this.channel = channel;
        }

        /** The channel, or another one where an interrupt has closed it. */
        private FileChannel channel() throws IOException {
            lock.lock();
            try {
                if (closed) {
                    throw new ClosedChannelException();
                }
                if (!channel.isOpen()) {
                    channel = FileChannel.open(path, EXISTING);
                }
                return channel;
            } finally {
                lock.unlock();
            }
        }

        private interface Use {
            int on(FileChannel channel) throws IOException;
        }

        private int use(Use use) throws IOException {
            return uninterrupted(() -> {
                FileChannel used = channel();
                try {
                    return use.on(used);
                } catch (AsynchronousCloseException e) {
                    throw e;
                } catch (ClosedChannelException e) {
                    // Between our look at it and its use.
                    AsynchronousCloseException again = new AsynchronousCloseException();
                    again.initCause(e);
                    throw again;
                }
            });
        }

        @Override
        public long sizeBytes() throws IOException {
            long[] size = new long[1];
            use(used -> {
                size[0] = used.size();
                return 0;
            });
            return size[0];
        }

        @Override
        public int read(ByteBuffer to, long position) throws IOException {
            int begin = to.position();
            use(used -> {
                while (to.hasRemaining()) {
                    if (used.read(to, position + to.position() - begin) < 0) {
                        break;
                    }
                }
                return 0;
            });
            return to.position() - begin;
        }

        @Override
        public void write(ByteBuffer from, long position) throws IOException {
            int begin = from.position();
            use(used -> {
                while (from.hasRemaining()) {
                    used.write(from, position + from.position() - begin);
                }
                return 0;
            });
        }

        @Override
        public void truncate(long sizeBytes) throws IOException {
            use(used -> {
                used.truncate(sizeBytes);
                return 0;
            });
        }

        @Override
        public void force() throws IOException {
            use(used -> {
                used.force(false);
                return 0;
            });
        }

        @Override
        public void close() {
            lock.lock();
            try {
                closed = true;
                channel.close();
            } catch (IOException e) {
                // Nothing is lost with a handle: what was not forced was promised to nobody.
            } finally {
                lock.unlock();
            }
        }
    }
}
