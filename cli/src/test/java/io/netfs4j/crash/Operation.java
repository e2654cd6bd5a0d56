// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** One thing that a writer asks of the file system, and what it comes to in a model. */
sealed interface Operation {
    /** Asks for it; a write is asked for by its writer, piece by piece. */
    void perform(Path root) throws IOException;

    /** What is so once it has been acknowledged. */
    void apply(TreeModel model);

    /** Cells of a file that are written. */
    record Write(String name, int from, int length, int sequence) implements Operation {
        @Override
        public void perform(Path root) {
            throw new IllegalStateException("written by its writer");
        }

        @Override
        public void apply(TreeModel model) {
            model.files.get(name).write(from, length, sequence);
        }
    }

    /** A file is opened with O_CREAT. */
    record Create(String name, int id, boolean truncates, boolean exclusive) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            open(root).close();
        }

        FileChannel open(Path root) throws IOException {
            if (exclusive) {
                return FileChannel.open(
                        root.resolve(name),
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE_NEW);
            }
            return truncates
                    ? FileChannel.open(
                            root.resolve(name),
                            StandardOpenOption.WRITE,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING)
                    : FileChannel.open(
                            root.resolve(name),
                            StandardOpenOption.WRITE,
                            StandardOpenOption.CREATE);
        }

        @Override
        public void apply(TreeModel model) {
            FileModel file = model.files.computeIfAbsent(name, n -> new FileModel(id));
            if (truncates) {
                file.resize(0);
            }
        }
    }

    /** A file is made shorter. */
    record Truncate(String name, int to) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            try (FileChannel file =
                    FileChannel.open(root.resolve(name), StandardOpenOption.WRITE)) {
                file.truncate((long) to * Stamp.CELL_BYTES);
            }
        }

        @Override
        public void apply(TreeModel model) {
            FileModel file = model.files.get(name);
            file.resize(Math.min(to, file.count()));
        }
    }

    /** All that was written to a file is to survive a loss of power, and its name. */
    record Sync(String name) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            try (FileChannel file =
                    FileChannel.open(root.resolve(name), StandardOpenOption.WRITE)) {
                file.force(true);
            }
        }

        @Override
        public void apply(TreeModel model) {
            model.files.get(name).promise();
            model.promiseAbove(name);
        }
    }

    /** A directory is to survive a loss of power, and the names in it; an empty name is the top. */
    record SyncDirectory(String name) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            try (FileChannel directory =
                    FileChannel.open(root.resolve(name), StandardOpenOption.READ)) {
                directory.force(true);
            }
        }

        @Override
        public void apply(TreeModel model) {
            model.promiseNames(name);
        }
    }

    /** A file gets another name; one that had it is gone. */
    record Rename(String from, String to) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            Files.move(root.resolve(from), root.resolve(to), StandardCopyOption.ATOMIC_MOVE);
        }

        @Override
        public void apply(TreeModel model) {
            FileModel file = model.files.remove(from);
            // The server was asked for that, and has it.
            file.promiseName();
            model.files.put(to, file);
            model.promiseAbove(to);
        }
    }

    /** A file is removed. */
    record Unlink(String name) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            Files.delete(root.resolve(name));
        }

        @Override
        public void apply(TreeModel model) {
            model.files.remove(name);
        }
    }

    /** A directory is made. */
    record MakeDirectory(String name) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            Files.createDirectory(root.resolve(name));
        }

        @Override
        public void apply(TreeModel model) {
            model.directories.add(name);
            model.unsure.add(name);
        }
    }

    /** An empty directory is removed. */
    record RemoveDirectory(String name) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            Files.delete(root.resolve(name));
        }

        @Override
        public void apply(TreeModel model) {
            model.directories.remove(name);
            model.unsure.remove(name);
        }
    }

    /** A directory gets a name that nothing has. */
    record RenameDirectory(String from, String to) implements Operation {
        @Override
        public void perform(Path root) throws IOException {
            Files.move(root.resolve(from), root.resolve(to), StandardCopyOption.ATOMIC_MOVE);
        }

        @Override
        public void apply(TreeModel model) {
            model.moveDirectory(from, to);
        }
    }
}
