package fhirpolicygateway.hapi;

import ca.uhn.fhir.context.FhirVersionEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.modeler.Registry;
import org.springframework.util.FileSystemUtils;

/**
 * A real HAPI FHIR JPA server for the end-to-end tests: HAPI's own providers on Tomcat and H2, without Spring Boot.
 *
 * <pre>java -jar hapi-server.jar [--version=DSTU3|R4] [--port=N] [--data=DIR] [--until-eof]</pre>
 *
 * <ul>
 *   <li>{@code --version}: R4 when not given.
 *   <li>{@code --port}: 0, any free port, when not given. The server listens on 127.0.0.1 only.
 *   <li>{@code --data}: the folder of its database. Every answered write is there after a kill -9. Without it, in memory.
 *   <li>{@code --until-eof}: end when standard input does, so that a server never outlives the program that started it.
 * </ul>
 *
 * Prints {@code READY http://127.0.0.1:PORT/fhir} on standard output when it serves and ends with status 0 on SIGTERM.
 * Standard error has warnings; {@code -Dorg.slf4j.simpleLogger.defaultLogLevel=info} shows more.
 */
public final class HapiServer {
  private static final Set<String> OPTIONS = Set.of("version", "port", "data", "until-eof");

  /** They warn of what the tests do on purpose (refused requests, lost races), or of what nobody can change. */
  private static final List<String> SILENT_LOGGERS = List.of(
      "ca.uhn.fhir.parser.LenientErrorHandler",
      "ca.uhn.fhir.rest.server.interceptor.ExceptionHandlingInterceptor",
      "org.hibernate.engine.jdbc.spi.SqlExceptionHelper",
      "org.springframework.context.support.PostProcessorRegistrationDelegate$BeanPostProcessorChecker");

  public static void main(String[] args) {
    try {
      var options = parse(args);
      if (options.containsKey("until-eof")) exitWhenInputEnds();
      serve(
          FhirVersionEnum.valueOf(options.getOrDefault("version", "R4")),
          Integer.parseInt(options.getOrDefault("port", "0")),
          options.containsKey("data") ? Path.of(options.get("data")) : null);
    } catch (Throwable fault) {
      fault.printStackTrace();
      Runtime.getRuntime().halt(1); // the threads of a half-started server would keep the process alive
    }
  }

  private static Map<String, String> parse(String[] args) {
    var options = new HashMap<String, String>();
    for (String arg : args) {
      String[] parts = arg.split("=", 2);
      String name = parts[0].replaceFirst("^--", "");
      if (!arg.startsWith("--") || !OPTIONS.contains(name)) throw new IllegalArgumentException("unknown option " + arg);
      options.put(name, parts.length == 2 ? parts[1] : "");
    }
    return options;
  }

  private static void exitWhenInputEnds() {
    var watcher = new Thread(() -> {
      try {
        System.in.transferTo(OutputStream.nullOutputStream());
      } catch (IOException closed) {
        // as good as its end
      }
      System.exit(0);
    }, "until-eof");
    watcher.setDaemon(true);
    watcher.start();
  }

  private static void serve(FhirVersionEnum version, int port, Path data) throws Exception {
    quieten();
    Path scratch = Files.createTempDirectory("hapi-server");
    stopAtOnce(scratch);
    var tomcat = tomcat(port, scratch);
    tomcat.init(); // binds: a port that is taken fails now, not after the long start of JPA
    var spring = JpaConfiguration.start(version, data);

    var context = (StandardContext) tomcat.addContext("", null);
    context.setFailCtxIfServletStartFails(true);
    Tomcat.addServlet(context, "fhir", spring.getBean(RestfulServer.class)).setLoadOnStartup(1);
    context.addServletMappingDecoded("/fhir/*", "fhir");
    tomcat.start();
    if (!context.getState().isAvailable()) throw new IllegalStateException("the FHIR servlet did not start");
    System.out.println("READY http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + "/fhir");
  }

  private static Tomcat tomcat(int port, Path scratch) {
    Registry.disableRegistry(); // no JMX
    var tomcat = new Tomcat();
    tomcat.setBaseDir(scratch.toString());
    tomcat.setPort(port);
    var connector = tomcat.getConnector();
    connector.setProperty("address", "127.0.0.1");
    connector.setProperty("relaxedQueryChars", "|"); // FHIR's system|code is often sent unescaped
    connector.setProperty("maxThreads", String.valueOf(JpaConfiguration.MOST_REQUESTS_AT_ONCE));
    connector.setThrowOnFailure(true);
    return tomcat;
  }

  /**
   * HAPI's own way down takes seconds and fills the log with jobs that run on without their database. The database has
   * every answered write already, so nothing is lost by stopping at once.
   */
  private static void stopAtOnce(Path scratch) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        FileSystemUtils.deleteRecursively(scratch);
      } catch (IOException left) {
        // an empty folder among the system's temporary files
      }
      Runtime.getRuntime().halt(0); // otherwise the status after SIGTERM is 143
    }));
  }

  private static void quieten() {
    Logger.getLogger("").setLevel(Level.WARNING); // Tomcat logs here, everybody else through slf4j-simple
    String prefix = "org.slf4j.simpleLogger.";
    if (System.getProperty(prefix + "defaultLogLevel") != null) return;
    System.setProperty(prefix + "defaultLogLevel", "warn");
    SILENT_LOGGERS.forEach(logger -> System.setProperty(prefix + "log." + logger, "off"));
  }
}
