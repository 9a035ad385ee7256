package fhirpolicygateway.hapi;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.FhirVersionEnum;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings.StoreMetaSourceInformationEnum;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.dstu3.JpaDstu3Config;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.DiffProvider;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.TerminologyUploaderProvider;
import ca.uhn.fhir.jpa.provider.ValueSetOperationProvider;
import ca.uhn.fhir.jpa.provider.dstu3.JpaConformanceProviderDstu3;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.config.DependencyDescriptor;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.ContextAnnotationAutowireCandidateResolver;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.data.repository.Repository;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** HAPI's JPA beans and the few that it expects of its host, set as HAPI's published starter image sets them. */
@Configuration(proxyBeanMethods = false)
class JpaConfiguration {
  static final int MOST_REQUESTS_AT_ONCE = 40;

  /** Starts HAPI on the database in the folder {@code data}, or in memory when that is null. */
  static AnnotationConfigApplicationContext start(FhirVersionEnum version, Path data) {
    Class<?> versionConfig = switch (version) {
      case DSTU3 -> JpaDstu3Config.class;
      case R4 -> JpaR4Config.class;
      default -> throw new IllegalArgumentException("--version is DSTU3 or R4, not " + version);
    };
    var spring = new AnnotationConfigApplicationContext();
    spring.register(
        versionConfig, HapiJpaConfig.class, JpaBatch2Config.class, Batch2JobsConfig.class,
        ThreadPoolFactoryConfig.class, SubscriptionChannelConfig.class, JpaConfiguration.class);
    spring.registerBean(DataSource.class, () -> database(data));
    createRepositoriesOnFirstUse(spring);
    spring.refresh();
    return spring;
  }

  private static BasicDataSource database(Path data) {
    var pool = new BasicDataSource();
    pool.setUrl(data == null
        ? "jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1;DB_CLOSE_ON_EXIT=FALSE"
        // WRITE_DELAY=0: a commit is in the file before it is answered, so that a kill -9 forgets nothing
        : "jdbc:h2:file:" + data.toAbsolutePath().resolve("hapi") + ";WRITE_DELAY=0;DB_CLOSE_ON_EXIT=FALSE");
    // A request that holds a connection may want a second one, and a search wants some for its own threads:
    // with fewer than that, requests that come at once wait for each other for ever.
    pool.setMaxTotal(3 * MOST_REQUESTS_AT_ONCE);
    pool.setMaxIdle(MOST_REQUESTS_AT_ONCE);
    return pool;
  }

  /**
   * To parse the queries of all of HAPI's repositories is a quarter of its start. Inject proxies of them instead and
   * create those that are used (Spring Boot's bootstrap-mode "lazy").
   */
  private static void createRepositoriesOnFirstUse(AnnotationConfigApplicationContext spring) {
    spring.addBeanFactoryPostProcessor(beans -> {
      for (String name : beans.getBeanNamesForType(Repository.class, true, false)) {
        beans.getBeanDefinition(name).setLazyInit(true);
      }
    });
    spring.getDefaultListableBeanFactory().setAutowireCandidateResolver(
        new ContextAnnotationAutowireCandidateResolver() {
          @Override
          protected boolean isLazy(DependencyDescriptor injected) {
            return Repository.class.isAssignableFrom(injected.getDependencyType()) || super.isLazy(injected);
          }
        });
  }

  /** What the starter image's configuration changes in HAPI's own defaults. */
  @Bean
  JpaStorageSettings storageSettings() {
    var settings = new JpaStorageSettings();
    settings.setAllowContainsSearches(true);
    settings.setAllowExternalReferences(true); // not the starter's default: the NHS's messages refer to systems elsewhere
    settings.setExpungeEnabled(true);
    settings.setFilterParameterEnabled(true);
    settings.setStoreMetaSourceInformation(StoreMetaSourceInformationEnum.NONE);
    return settings;
  }

  @Bean
  PartitionSettings partitionSettings() {
    return new PartitionSettings();
  }

  @Bean
  SubscriptionSettings subscriptionSettings() {
    return new SubscriptionSettings();
  }

  @Bean
  LocalContainerEntityManagerFactoryBean entityManagerFactory(
      ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings settings, DataSource database) {
    var factory = HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
    factory.setPersistenceUnitName("hapi");
    factory.setDataSource(database);
    factory.setBootstrapExecutor(new SimpleAsyncTaskExecutor("jpa-")); // Hibernate starts while HAPI does
    factory.setJpaPropertyMap(Map.of(
        "hibernate.dialect", HapiFhirH2Dialect.class.getName(),
        "hibernate.hbm2ddl.auto", "update",
        "hibernate.search.enabled", "false"));
    return factory;
  }

  @Bean
  JpaTransactionManager transactionManager(EntityManagerFactory factory) {
    return new JpaTransactionManager(factory);
  }

  @Bean
  RestfulServer restfulServer(
      FhirContext fhir, IFhirSystemDao<?, ?> systemDao, JpaStorageSettings settings, ISearchParamRegistry searchParams,
      IValidationSupport validation, DatabaseBackedPagingProvider paging, ResourceProviderFactory resources,
      IJpaSystemProvider system, ValueSetOperationProvider valueSets, TerminologyUploaderProvider terminology,
      DiffProvider diff) {
    var server = new RestfulServer(fhir);
    server.registerProviders(resources.createProviders());
    server.registerProviders(List.of(system, valueSets, terminology, diff));
    server.setServerConformanceProvider(conformance(server, fhir, systemDao, settings, searchParams, validation));
    paging.setDefaultPageSize(20);
    paging.setMaximumPageSize(200);
    server.setPagingProvider(paging);
    server.setDefaultResponseEncoding(EncodingEnum.JSON);
    server.setDefaultPrettyPrint(true);
    return server;
  }

  @SuppressWarnings("unchecked")
  private static Object conformance(
      RestfulServer server, FhirContext fhir, IFhirSystemDao<?, ?> systemDao, JpaStorageSettings settings,
      ISearchParamRegistry searchParams, IValidationSupport validation) {
    if (fhir.getVersion().getVersion() == FhirVersionEnum.R4) {
      return new JpaCapabilityStatementProvider(server, systemDao, settings, searchParams, validation);
    }
    var dstu3Dao = (IFhirSystemDao<org.hl7.fhir.dstu3.model.Bundle, org.hl7.fhir.dstu3.model.Meta>) systemDao;
    return new JpaConformanceProviderDstu3(server, dstu3Dao, settings, searchParams);
  }
}
