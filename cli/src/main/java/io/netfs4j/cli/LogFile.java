// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.util.FileSize;

import io.netfs4j.base.SystemErrors;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.Map;

/** Where the process of a mount writes what happens: a file of bounded size, or stderr. */
final class LogFile {
    private static final long FILE_BYTES_MAX = 8L << 20;

    /** Old files beside the one that is written. */
    private static final int OLD_FILES_MAX = 2;

    private static final String PATTERN =
            "%d{yyyy-MM-dd'T'HH:mm:ss.SSSX} %-5level %logger{0}: %msg%n";

    private LogFile() {}

    /**
     * Begins to log.
     *
     * @param file null for stderr
     * @param level "error", "warn", "info", "debug" or "trace"
     */
    static void begin(@Nullable Path file, String level) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        Level ours = Level.toLevel(level, Level.INFO);
        context.getLogger("io.netfs4j").setLevel(ours);
        if (ours.isGreaterOrEqual(Level.INFO)) {
            // It tells each lost connection with its stack; one line of ours tells it too.
            context.getLogger("org.apache.sshd").setLevel(Level.ERROR);
        }
        root.addAppender(file == null ? toStderr(context) : toFile(context, file));
    }

    /**
     * The file for a mount point when none is named: {@code $XDG_STATE_HOME/netfs}, else {@code
     * ~/.local/state/netfs}; its directory is made.
     */
    static Path forMountPoint(Path mountPoint, Map<String, String> environment)
            throws CommandFailure {
        Path home = StateHome.ofUser(environment);
        Path directory = home == null ? RuntimeDirectory.ofUser(environment).create() : home;
        Path file = directory.resolve(nameFor(mountPoint) + ".log");
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw unwritable(file, e);
        }
        prepare(file);
        return file;
    }

    /** Readable as far as that goes, and hardly ever the same for two mount points. */
    static String nameFor(Path mountPoint) {
        String whole = mountPoint.toString();
        String readable = whole.substring(1).replaceAll("[^A-Za-z0-9._-]", "-");
        String shortened = readable.substring(Math.max(0, readable.length() - 60));
        return shortened + "-" + HexFormat.of().toHexDigits(whole.hashCode());
    }

    /**
     * Sees to it that a file that the user names can be written, readable by its owner alone. Its
     * directory must be there: one that is made for a misspelt name hides the log.
     */
    static void prepareNamed(Path file) throws CommandFailure {
        Path directory = file.getParent();
        if (directory != null && !Files.isDirectory(directory)) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--log="
                            + file
                            + ": the directory "
                            + directory
                            + (Files.exists(directory)
                                    ? " is not a directory; name another file"
                                    : " does not exist; make it with mkdir, or name another file"));
        }
        prepare(file);
    }

    private static void prepare(Path file) throws CommandFailure {
        try {
            if (!Files.exists(file)) {
                Files.createFile(
                        file,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
            }
            Files.newByteChannel(file, java.nio.file.StandardOpenOption.APPEND).close();
        } catch (java.nio.file.FileAlreadyExistsException e) {
            // Made meanwhile by another mount.
            return;
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    private static CommandFailure unwritable(Path file, IOException e) {
        return new CommandFailure(
                SystemErrors.isFull(e) ? ExitCode.NO_ROOM : ExitCode.FAILED,
                "cannot write the log file " + file + " (" + e + "); name another with --log");
    }

    private static Appender<ILoggingEvent> toStderr(LoggerContext context) {
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setTarget("System.err");
        return started(appender, context);
    }

    private static Appender<ILoggingEvent> toFile(LoggerContext context, Path file) {
        RollingFileAppender<ILoggingEvent> appender = new RollingFileAppender<>();
        appender.setFile(file.toString());
        FixedWindowRollingPolicy rolling = new FixedWindowRollingPolicy();
        rolling.setContext(context);
        rolling.setParent(appender);
        rolling.setMinIndex(1);
        rolling.setMaxIndex(OLD_FILES_MAX);
        rolling.setFileNamePattern(file.toString().replace("%", "\\%") + ".%i");
        rolling.start();
        SizeBasedTriggeringPolicy<ILoggingEvent> trigger = new SizeBasedTriggeringPolicy<>();
        trigger.setContext(context);
        trigger.setMaxFileSize(new FileSize(FILE_BYTES_MAX));
        trigger.start();
        appender.setRollingPolicy(rolling);
        appender.setTriggeringPolicy(trigger);
        return started(appender, context);
    }

    private static Appender<ILoggingEvent> started(
            OutputStreamAppender<ILoggingEvent> appender, LoggerContext context) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setCharset(StandardCharsets.UTF_8);
        encoder.setPattern(PATTERN);
        encoder.start();
        appender.setContext(context);
        appender.setEncoder(encoder);
        appender.start();
        return appender;
    }

    /**
     * Keeps the logging library silent until {@link #begin}: stdout belongs to the command's
     * answer. Found by {@link java.util.ServiceLoader}.
     */
    @ConfiguratorRank(ConfiguratorRank.CUSTOM_TOP_PRIORITY)
    public static final class Silence extends ContextAwareBase implements Configurator {
        @Override
        public ExecutionStatus configure(LoggerContext context) {
            context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.OFF);
            return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
        }
    }
}
