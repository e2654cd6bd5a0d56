// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * What is known of a mount when its process cannot be asked any more: a file beside the control
 * sockets, one for each mount point, that goes with the process unless that is killed.
 *
 * @param pid the process
 * @param mountPoint its real path
 * @param remote as {@link io.netfs4j.server.Remote#absoluteText}
 * @param state the directory with the journals, its own among them; null for a mount without one
 * @param readOnly whether nothing was ever to be sent
 */
record MountRecord(
        long pid, String mountPoint, String remote, @Nullable String state, boolean readOnly) {

    /** Leaves it in the directory of the control sockets, in one step; the last one counts. */
    void write(Path directory) throws IOException {
        Path file = file(directory, Path.of(mountPoint));
        Path begun = directory.resolve(file.getFileName() + "." + pid);
        Files.writeString(begun, ControlMessages.write(this));
        Files.move(begun, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Takes it away, unless another mount has left its own by now. */
    void remove(Path directory) throws IOException {
        Path place = Path.of(mountPoint);
        if (equals(read(directory, place))) {
            Files.deleteIfExists(file(directory, place));
        }
    }

    /**
     * That of the last mount on a directory; null when that has ended well, or nothing is known.
     */
    static @Nullable MountRecord find(RuntimeDirectory runtime, Path mountPoint) {
        for (Path directory : runtime.existing()) {
            MountRecord found = read(directory, mountPoint);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private static @Nullable MountRecord read(Path directory, Path mountPoint) {
        try {
            String text = Files.readString(file(directory, mountPoint));
            MountRecord found = ControlMessages.read(text, MountRecord.class);
            return found.mountPoint.equals(mountPoint.toString()) ? found : null;
        } catch (IOException e) {
            return null; // There is none, or nobody knows what it says.
        }
    }

    private static Path file(Path directory, Path mountPoint) {
        return directory.resolve(LogFile.nameFor(mountPoint) + ".mount");
    }
}
